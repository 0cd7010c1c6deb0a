"""The dialect that the core speaks, which is OpenAI's: bodies, replies, chunks, errors. Pure."""
