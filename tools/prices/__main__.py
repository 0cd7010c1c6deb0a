"""`scripts/prices`: reads both sources, writes the table and the page that tells where they differ."""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from gatekey.pricing import Table
from tools.prices import Entries, Entry, genai, litellm
from tools.prices.merge import Difference, merge, steps

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "src" / "gatekey" / "pricing" / "prices.json"
PAGE = ROOT / "docs" / "price-differences.md"


def table(date: str, sources: dict[str, str], entries: Entries) -> str:
    """The file, a line for each model, so that a change can be read."""
    providers = []
    for provider, models in sorted(entries.items()):
        lines = ",\n".join(f"{json.dumps(model)}: {_entry(entry)}" for model, entry in sorted(models.items()))
        providers.append(f"{json.dumps(provider)}: {{\n{lines}\n}}")
    head = f'"date": {json.dumps(date)},\n"sources": {json.dumps(sources)}'
    return f'{{\n{head},\n"providers": {{\n{(",").join(providers)}\n}}\n}}\n'


def _entry(entry: Entry) -> str:
    (_, first), *others = steps(entry)
    fields = [f'"{name}": {plain(value)}' for name, value in first.items()]
    if entry.max_output:
        fields.append(f'"max_output": {entry.max_output}')
    if others:
        above = (
            ", ".join([f'"tokens": {size}', *(f'"{name}": {plain(value)}' for name, value in rates.items())])
            for size, rates in others
        )
        fields.append(f'"above": [{", ".join(f"{{{step}}}" for step in above)}]')
    return f"{{{', '.join(fields)}}}"


def plain(value: Decimal) -> str:
    """A price without an exponent or zeros at its end, to the nano-dollar."""
    text = f"{round(value, 9):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def page(date: str, sources: dict[str, str], entries: Entries, differences: list[Difference]) -> str:
    """The page that tells where the sources differ."""
    names = [f"{name} {number}" for name, number in sources.items()]
    rows = [
        f"| {each.provider} | `{each.model}` | {each.name}{f' above {each.above:,}' if each.above else ''} "
        f"| {plain(each.first)} | {plain(each.second)} | {plain(each.taken)} |"
        for each in differences
    ]
    counted = sum(map(len, entries.values()))
    return "\n".join(
        [
            "<!-- Written by scripts/prices. -->",
            "# Where the sources of prices differ\n",
            f"As of {date}: {counted:,} models; {len(rows):,} prices on which {' and '.join(names)} do not agree.",
            "US dollars for a million tokens, an hour of audio or an image. The dearer one is taken, so that a stale",
            "price never lets a budget be overspent; [prices](guides/prices.md) tells how to set another.\n",
            f"| provider | model | price | {' | '.join(sources)} | taken |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main(packages: Path) -> None:
    """Read what is installed in the folder, write the two files."""
    from genai_prices.data import providers

    now = datetime.now(UTC)
    date = now.date().isoformat()
    file = packages / "litellm" / "model_prices_and_context_window_backup.json"
    sources = {name: version(name) for name in ("genai-prices", "litellm")}
    entries, differences = merge(genai.read(providers, now), litellm.read(json.loads(file.read_text())))
    text = table(date, sources, entries)
    Table.parse(text.encode())
    TABLE.write_text(text)
    PAGE.write_text(page(date, sources, entries, differences))
    print(f"{TABLE.relative_to(ROOT)}: {sum(map(len, entries.values()))} models, {len(differences)} differences")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
