"""Small real servers on loopback, for tests of whatever speaks to the network.

raw.py            serve(script): a listener that counts connections and keeps the bytes of every request
scripts.py        what it does with a connection: answer, redirect, drip headers or body, gzip bomb, reset, garbage, hang, ...
certificates.py   an own CA, certificates for any name (or expired, or self-signed), and TLS contexts for serve()
names.py          resolving({...}): what host names mean to this process, also to several addresses, or never
proxy.py          serve_proxy(): a forward proxy that does CONNECT and absolute-form requests, and keeps the request lines
"""
