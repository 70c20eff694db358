"""A gateway of a network: decrypts TLS with a certificate of an authority of its own, or answers CONNECT as a proxy.

Arguments: the port to which decrypted bytes go, a folder, and the status that CONNECT is answered with. The folder gets
`ca.pem`, the authority's certificate, and then `port`. It runs until it is killed.
"""

import datetime
import ipaddress
import os
import pathlib
import socket
import ssl
import sys
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TARGET, FOLDER, STATUS = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
DOMAINS = ["localhost", "*.amazonaws.com", "*.eu-west-1.amazonaws.com", "*.sagemaker.eu-west-1.amazonaws.com"]
DOMAINS += ["*.sso.eu-west-1.amazonaws.com"]
TLS_HANDSHAKE = 0x16
REASONS = {200: "Connection established", 403: "Forbidden", 407: "Proxy Authentication Required"}


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
    )
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=2))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def context():
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = certificate("authority", authority, "authority", authority, x509.BasicConstraints(ca=True, path_length=None))
    names = [x509.DNSName(domain) for domain in DOMAINS] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = certificate("server", key, "authority", authority, x509.SubjectAlternativeName(names))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (FOLDER / "ca.pem").write_bytes(root.public_bytes(pem))
    (FOLDER / "server.pem").write_bytes(server.public_bytes(pem) + private)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(FOLDER / "server.pem")
    return made


def serve(client, tls):
    try:
        if client.recv(1, socket.MSG_PEEK)[:1] != bytes([TLS_HANDSHAKE]):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1)
            with (FOLDER / "asked").open("ab") as asked:
                asked.write(head.partition(b"\r\n")[0] + b"\n")
            client.sendall(b"HTTP/1.1 %d %s\r\n\r\n" % (STATUS, REASONS[STATUS].encode()))
            if STATUS != 200:
                client.close()
                return
        inner = tls.wrap_socket(client, server_side=True)
        service = socket.create_connection(("127.0.0.1", TARGET))
        threading.Thread(target=pump, args=(service, inner), daemon=True).start()
        pump(inner, service)
    except OSError:
        client.close()


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        end.close()


def main():
    tls = context()
    server = socket.create_server(("127.0.0.1", 0), backlog=100)
    (FOLDER / "port.partial").write_text(str(server.getsockname()[1]))
    os.rename(FOLDER / "port.partial", FOLDER / "port")
    while True:
        client, _ = server.accept()
        threading.Thread(target=serve, args=(client, tls), daemon=True).start()


main()
