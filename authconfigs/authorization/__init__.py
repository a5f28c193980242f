"""Connecting a config at its provider: a person's trip to the consent screen and back, and undoing it (RFC 6749 §4.1).

`trips` begins a trip and consumes its answer, once; `bindings` ties it to the browser that began it; `links` are for people
without a login here. `callback` judges what comes back, `connecting` exchanges the code and stores the tokens, `answers` is
what the person reads. `disconnecting` withdraws and forgets. `views` are the pages outside of the console.
"""
