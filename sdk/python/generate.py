"""Makes `_sync` of `_async`: the same words without `async` and `await`.

    python sdk/python/generate.py

A test holds that it has been run.
"""

import re
from pathlib import Path

PACKAGE = Path(__file__).parent / "src" / "portkey_ai"
WORDS = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\bAsync(?!OpenAI)(?=[A-Z])", ""),
    (r"\bAwaitable\[RawResponse\]", "RawResponse"),
    (r"import Awaitable, ", "import "),
    (r"_async\b(?!_)", "_sync"),
    (r"__a(enter|exit|iter|next)__", r"__\1__"),
)


def generated() -> dict[Path, str]:
    """Every file of `_sync`, and its text."""
    return {PACKAGE / "_sync" / source.name: sync(source) for source in sorted((PACKAGE / "_async").glob("*.py"))}


def sync(source: Path) -> str:
    """The text of the file that is made of `source`."""
    text = source.read_text(encoding="utf-8")
    for pattern, word in WORDS:
        text = re.sub(pattern, word, text)
    return f"# Made of _async/{source.name} by generate.py: change it there.\n{text}"


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
