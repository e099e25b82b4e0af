"""The Instrument that needs no account and no network.

SmolLM2-135M, a model of 135 million parameters, runs on llama.cpp inside this
process. It writes grammatical sentences and poor code, so the melodies that
play it by default ask for sentences and check what comes back.
"""
