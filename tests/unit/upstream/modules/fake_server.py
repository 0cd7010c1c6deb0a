"""A server as `children` wants it: one line of JSON, then answers its own process id, ends when its input ends.

`$FAKE_STARTS` names a file that gets a line for each start.
"""

import http.server
import json
import os
import threading
from pathlib import Path


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Path(os.environ["FAKE_STARTS"]).open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    while os.read(0, 100):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
