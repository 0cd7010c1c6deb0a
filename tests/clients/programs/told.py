"""What every program is told, and what it asks.

A program is what people write, in a folder that is its environment; its name is the package's. Between the lines of
dashes stands what changes for the gateway. Its functions, which may be async, are its features:

    plain        the text of an answer
    streamed     the pieces of one, and its usage where the client gives it
    tools        the tool that was called, with its arguments as the client has read them
    structured   an answer of the shape Weather, as a dict
    error        the status and the message of the client's own error
    cancel       the pieces of an answer that were read before leaving it

What a client does not offer it lacks.
"""

import os

from pydantic import BaseModel

URL, KEY = os.environ["URL"], os.environ["KEY"]
MODEL = "gpt-4o-mini"

SAY, FAIL, GO_ON = "Say this is a test.", "Ask for a model that is not there.", "Never stop."


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    celsius: int


def user(text: str) -> list[dict[str, str]]:
    """A conversation that begins."""
    return [{"role": "user", "content": text}]
