"""Stands in for `gatekey serve`: the first argument says how it behaves, the others are those of `serve`."""

import http.server
import json
import signal
import sys
from pathlib import Path

BEHAVIOUR, _, HOST, _, PORT, _, DATA = sys.argv[1:]


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.reply(200 if self.path == "/ready" else 404, b"")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked = (self.path, self.headers["x-portkey-api-key"], self.headers["x-portkey-provider"], body["model"])
        if asked != ("/v1/completions", "key-of-the-test", "local", "smollm2-135m-instruct"):
            self.reply(400, repr(asked).encode())
        elif BEHAVIOUR == "refuses":
            self.reply(503, b'{"error": {"message": "The weights are missing."}}')
        elif body.get("stream"):
            self.reply(200, self.stream())
        else:
            text = "  " if BEHAVIOUR == "says nothing" else " This is a test."
            self.reply(200, json.dumps({"choices": [{"text": text}]}).encode())

    def stream(self) -> bytes:
        chunks = [f"data: {json.dumps({'choices': [{'text': text}]})}\n\n" for text in ("one ", "two ", "three", "")]
        end = {
            "cuts the stream": "",
            "breaks the stream": 'data: {"error": {"message": "The model has died."}}\n\n',
        }.get(BEHAVIOUR, "data: [DONE]\n\n")
        return "".join([*([] if BEHAVIOUR == "streams nothing" else chunks), end]).encode()

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def ended(*_: object) -> None:
    print("The fake gateway has ended.", flush=True)
    sys.exit(0)


if __name__ == "__main__":
    if BEHAVIOUR == "ends at once":
        sys.exit("The port is taken.")
    print("Admin key, shown once and kept in a file: key-of-the-test", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, ended)
    if BEHAVIOUR != "has no key":
        (Path(DATA) / "admin-key").write_text("key-of-the-test\n")
    server = http.server.HTTPServer((HOST, int(PORT)), Answer)
    if BEHAVIOUR == "ends later":
        for _ in ("/ready", "answer", "stream"):
            server.handle_request()
        sys.exit("Out of memory.")
    server.serve_forever()
