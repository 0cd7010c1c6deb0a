"""What `gatekey usage` shows to people: figures in columns, bars in a terminal, a line for all."""

from typing import Any

import pytest

from gatekey.cli import usage


def row(value: str, requests: int, cents: float, unpriced: int = 0) -> dict[str, Any]:
    return {"value": value, "requests": requests, "tokens": 10, "cents": cents, "unpriced": unpriced}


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, total = (
        [row("dear", 2, 4000.0), row("cheap", 1500, 0.5), row("free", 1, 0.0, 1)],
        row("total", 1503, 4000.5, 1),
    )
    assert usage._page(usage.By.model, rows, total, 1) == (
        "Model  Requests  Tokens      Cost  Unpriced\n"
        "dear          2      10  $40.0000\n"
        "cheap     1,500      10   $0.0050\n"
        "free          1      10   $0.0000         1\n\n"
        "Today: 1,503 requests, 10 tokens, $40.0050. Not in it: 1 without a known price."
    )
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = usage._page(usage.By.model, rows, total, 1).splitlines()
    mark = usage._bars(rows)[0][:1]
    assert [line.count(mark) for line in lines[:4]] == [0, usage.BAR, 1, 0]
    assert usage._bars([row("a", 4, 0.0), row("b", 2, 0.0)]) == [mark * usage.BAR, mark * (usage.BAR // 2)]
    assert (
        usage._page(usage.By.model, [], row("total", 0, 0.0), 7)
        == "None.\n\nIn 7 days: 0 requests, 10 tokens, $0.0000."
    )
