"""What the author of a Symphony extension imports.

An extension is a process that answers calls of the host over its standard
input and output. Its author writes a function:

    from symphony_extension import operator

    @operator(name="count-words", version="0.1.0")
    def count_words(text: str) -> dict[str, int]:
        "Counts words in a text."
        return {"words": len(text.split())}

    if __name__ == "__main__":
        count_words.serve()

The function's parameters are the input ports, the keys of the dictionary it
returns are the output ports. A parameter annotated with `Call` receives the
call itself: its cancellation, its deadline, progress and streamed text. What
the function prints goes to the extension's log.
"""

from .call import Call, Code, Failure, Result, Usage
from .extension import PROTOCOL, Extension, Initialize, instrument, operator

__all__ = [
    "PROTOCOL",
    "Call",
    "Code",
    "Extension",
    "Failure",
    "Initialize",
    "Result",
    "Usage",
    "instrument",
    "operator",
]
