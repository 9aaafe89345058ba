"""A mail server for the tests: aiosmtpd, told what to do by lines on its standard input.

Writes one JSON object a line: {"listening": port}, then {"mail": {...}} for each message that it took, and {"event": name}
for what else a test waits for. Each line of input is a JSON object {"refuse": {"address or *": "451 later"}, "cut": n,
"cut_before": n}; it replaces what was said before. `cut` messages are taken and the connection is cut before the answer;
`cut_before` connections are cut when DATA is asked for. The first argument is a port (0 for any); with two more it speaks
STARTTLS with that certificate and key, and with a fourth, `tls`, TLS from the first byte on; `--login` asks for the name
`ardoise` and the password `sesame`.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

orders = {"refuse": {}, "cut": 0, "cut_before": 0}


def say(**what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        word = orders["refuse"].get(address) or orders["refuse"].get("*")
        if word:
            say(event="refused", to=address)
            return word
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        say(mail={
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "protected": session.ssl is not None or getattr(server, "_over_ssl", False),
            "text": envelope.original_content.decode("utf-8", "replace"),
        })
        if orders["cut"] > 0:
            orders["cut"] -= 1
            server.transport.abort()
            say(event="cut")
        return "250 taken"


class Server(SMTP):
    async def smtp_DATA(self, arg):
        if orders["cut_before"] > 0:
            orders["cut_before"] -= 1
            self.transport.abort()
            say(event="cut-before")
            return
        await super().smtp_DATA(arg)


def login(server, session, envelope, mechanism, data):
    known = data.login == b"ardoise" and data.password == b"sesame"
    return AuthResult(success=known, handled=False)


async def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--login"]
    tls = None
    if len(arguments) > 2:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(arguments[1], arguments[2])
    implicit = len(arguments) > 3
    asks = {}
    if "--login" in sys.argv:
        asks = {"authenticator": login, "auth_required": True, "auth_require_tls": tls is not None and not implicit}
    kwargs = {"hostname": "mx.exemple.fr", "enable_SMTPUTF8": True, **asks}
    if tls and not implicit:
        kwargs |= {"tls_context": tls, "require_starttls": True}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(Handler(), loop=loop, **kwargs),
        host="127.0.0.1",
        port=int(arguments[0]),
        ssl=tls if implicit else None,
    )
    say(listening=server.sockets[0].getsockname()[1])
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    # The test has ended when its end of the pipe is closed.
    while line := await reader.readline():
        orders.update({"refuse": {}, "cut": 0, "cut_before": 0})
        orders.update(json.loads(line))
        say(event="told")


asyncio.run(main())
