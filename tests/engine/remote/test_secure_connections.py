"""Certificates are verified, own ones can be used, and words for this computer pass no proxy."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.errors import EngineError, ServerUnreachable
from engine.remote.connection import Connection
from engine.remote.retry import RetryPlan
from tests.engine.remote.remote_models import client_to
from tests.engine.remote.scripted_server import replies, scripted_server

x509 = pytest.importorskip("cryptography.x509")


@dataclass(frozen=True)
class Identity:
    """A self-signed certificate and its key, as files."""

    certificate: Path
    key: Path


def identity(folder: Path, name: str) -> Identity:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    found = Identity(folder / f"{name}.pem", folder / f"{name}.key")
    found.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    found.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return found


def served_by(server: Identity, client: Identity | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    if client is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client.certificate)
    return context


def ask(connection: Connection) -> None:
    """Sends one request. Raises its error."""

    async def main() -> None:
        async with client_to(connection) as client:
            await client.thread.call(client.get("/v1/models"))

    asyncio.run(main())


def failure(connection: Connection) -> EngineError:
    with pytest.raises(ServerUnreachable) as caught:
        ask(connection)
    return caught.value


def to(port: int) -> Connection:
    return Connection.to(f"https://127.0.0.1:{port}")


def test_unknown_certificate_is_refused_and_a_given_one_is_trusted(tmp_path: Path) -> None:
    server = identity(tmp_path, "server")
    with scripted_server(served_by(server)) as scripted:
        scripted.routes["/v1/models"] = replies({"data": []})
        assert "certificate is not trusted" in str(failure(to(scripted.port)))
        assert not scripted.received
        ask(replace(to(scripted.port), ca_file=server.certificate))
        assert len(scripted.received) == 1


def test_connection_whose_certificate_is_refused_is_tried_once(tmp_path: Path) -> None:
    with scripted_server(served_by(identity(tmp_path, "server"))) as scripted:
        error = failure(to(scripted.port))
    assert RetryPlan().delay_s(error) is None
    assert RetryPlan().delay_s(ServerUnreachable("host", "no connection")) is not None


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_missing_file_of_system_certificates_is_an_error(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    error = failure(Connection.to(f"{scheme}://gpu-box.invalid:8000"))
    assert "a certificate file cannot be used (No such file or directory)" in str(error)


def test_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    server = identity(tmp_path, "server")
    with scripted_server(served_by(server)) as scripted:
        connection = Connection.to(f"https://localhost:{scripted.port}")
        assert "certificate is not trusted" in str(failure(replace(connection, ca_file=server.certificate)))


def test_client_certificate_is_presented(tmp_path: Path) -> None:
    server, client = identity(tmp_path, "server"), identity(tmp_path, "client")
    with scripted_server(served_by(server, client)) as scripted:
        scripted.routes["/v1/models"] = replies({"data": []})
        connection = replace(to(scripted.port), ca_file=server.certificate)
        failure(connection)  # the server's reason for closing the connection does not always arrive
        assert not scripted.received
        ask(replace(connection, client_certificate=client.certificate, client_key=client.key))
        assert len(scripted.received) == 1


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_certificate_file_that_cannot_be_used_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    assert "a certificate file cannot be used" in str(failure(replace(to(1), ca_file=file)))
    assert "a certificate file cannot be used" in str(failure(replace(to(1), client_certificate=file)))


def test_requests_to_this_computer_pass_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with scripted_server() as scripted:
        scripted.routes["/v1/models"] = replies({"data": []})
        ask(Connection.to(scripted.address))
        assert len(scripted.received) == 1
        failure(Connection.to("http://gpu-box.invalid:8000"))  # the proxy is used, and not there


def test_unusable_proxy_is_reported_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "ftp://user:secret@proxy")
    error = failure(Connection.to("http://gpu-box.invalid:8000"))
    assert "proxy" in str(error)
    assert "secret" not in str(error)
