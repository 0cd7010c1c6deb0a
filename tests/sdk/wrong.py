"""What users should not write, for the checkers of types: each line that ends with `# wrong` is a mistake to find."""

from portkey_ai import Portkey, createHeaders

portkey = Portkey(confg="pc-1")  # wrong
portkey = Portkey(api_key=7)  # wrong
portkey.with_options(trace="t")  # wrong
portkey.with_options({"confg": "pc-1"})  # wrong
createHeaders(timeout=3)  # wrong
portkey.completions.create(model="m")  # wrong
portkey.completions.create(model="m", prompt="Hi", temperatur=1)  # wrong
print(portkey.completions.create(model="m", prompt="Hi", stream=True).choices)  # wrong
print(portkey.completions.create(model="m", prompt="Hi").choices[0].text + 1)  # wrong
print(portkey.nothing)  # wrong
