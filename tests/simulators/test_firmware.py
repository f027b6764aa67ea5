"""The virtual station replaces its own software, on its own clock."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
import pytest

from .authority import Authority
from .central import PlainCentralSystem
from .conftest import FakeClock
from .files import Depot
from simulators.charging_station import ChargingStation16, Misbehaviour

NOW = "2026-11-21T10:00:00Z"
LOCATION = "https://firmware.example/vw22-2.5.0.bin"
SIGNED = "SignedFirmwareStatusNotification"
PLAIN = "FirmwareStatusNotification"
IMAGE = b"firmware"


async def update(central: PlainCentralSystem, **more: Any) -> Any:
    """Ask for an update and return the answer."""
    wish = {"location": LOCATION, "retrieveDate": NOW} | more
    return (await central.ask("UpdateFirmware", **wish))[2]


class Maker:
    """Who signs firmware."""

    def __init__(self, kind: str = "ec") -> None:
        """Make a key and a certificate for it."""
        self.authority = Authority("Maker")
        self.key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if kind == "ec":
            self.key = ec.generate_private_key(ec.SECP256R1())
        else:
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = self.authority.certify("Maker", self.key.public_key())
        self.kind = kind

    def sign(self, content: bytes) -> str:
        """Return the signature of a content, base64."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return b64encode(self.key.sign(content, ec.ECDSA(SHA256()))).decode()
        scheme: padding.PSS | padding.PKCS1v15 = padding.PKCS1v15()
        if self.kind == "pss":
            scheme = padding.PSS(padding.MGF1(SHA256()), 32)
        return b64encode(self.key.sign(content, scheme, SHA256())).decode()

    async def update(
        self, central: PlainCentralSystem, request: int = 7, **more: Any
    ) -> str:
        """Ask for a signed update and return the answer."""
        firmware = {
            "location": LOCATION,
            "retrieveDateTime": NOW,
            "signingCertificate": self.certificate,
            "signature": self.sign(IMAGE),
        }
        answer = await central.ask(
            "SignedUpdateFirmware", requestId=request, firmware=firmware | more
        )
        return str(answer[2]["status"])


def told(central: PlainCentralSystem, action: str = PLAIN) -> list[str]:
    """Return the statuses of an update, one after the other."""
    return [one["status"] for one in central.of(action)]


async def test_an_update_from_the_request_to_the_boot(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """TC_044_1: step by step, unavailable meanwhile, and another version."""
    assert await update(central) == {}
    await station.pass_time(29)
    assert told(central) == ["Downloading"]
    await station.pass_time(2)
    assert told(central) == ["Downloading", "Downloaded", "Installing"]
    assert {one.status for one in station.connectors.values()} == {"Unavailable"}
    answer = await central.ask("RemoteStartTransaction", idTag="TAG1", connectorId=1)
    assert answer[2] == {"status": "Rejected"}
    await station.pass_time(60)
    await central.count(PLAIN, 4)
    assert told(central)[-1] == "Installed"
    assert central.of("BootNotification")[-1]["firmwareVersion"] == "2.5.0"
    assert {one.status for one in station.connectors.values()} == {"Available"}
    assert station.state()["firmware"] == {"version": "2.5.0", "status": "Idle"}


async def test_an_update_waits_for_its_time_and_for_the_end_of_a_session(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """retrieveDate, then whoever charges."""
    await station.plug_in()
    await station.swipe("TAG1")
    await update(central, retrieveDate="2026-11-21T10:10:00Z")
    await station.pass_time(599, step=10)
    assert told(central) == []
    await station.pass_time(120)
    assert told(central) == ["Downloading", "Downloaded"]
    await station.swipe("TAG1")
    await station.pass_time(1)
    assert told(central)[-1] == "Installing"
    await station.pass_time(61)
    await central.count(PLAIN, 4)
    assert station.connectors[1].status == "Preparing"


async def test_a_download_that_fails_is_tried_as_often_as_asked(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """TC_044_2, with retries."""
    station.misbehaviours.add(Misbehaviour.FIRMWARE_DOWNLOAD_FAILS)
    await update(central, retries=1, retryInterval=100)
    await station.pass_time(129)
    assert told(central) == ["Downloading"]
    await station.pass_time(40)
    assert told(central) == ["Downloading", "Downloading", "DownloadFailed"]
    assert station.state()["firmware"]["version"] == "2.4.1"


async def test_an_installation_that_fails_leaves_the_old_firmware(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """TC_044_3: available again."""
    station.misbehaviours.add(Misbehaviour.FIRMWARE_INSTALL_FAILS)
    await update(central)
    await station.pass_time(100)
    assert told(central)[-2:] == ["Installing", "InstallationFailed"]
    assert station.connectors[1].status == "Available"
    assert len(central.of("BootNotification")) == 1


@pytest.mark.parametrize("kind", ["ec", "rsa", "pss"])
async def test_a_signed_update(
    station: ChargingStation16, central: PlainCentralSystem, kind: str
) -> None:
    """TC_080: verified before it is installed, told under its request."""
    maker = Maker(kind)
    station.security.trust([], [maker.authority.root_pem])
    station.firmware.images[LOCATION] = IMAGE
    later = "2026-11-21T10:05:00Z"
    assert await maker.update(central, installDateTime=later) == "Accepted"
    await station.pass_time(299)
    first = ["Downloading", "Downloaded", "SignatureVerified", "InstallScheduled"]
    assert told(central, SIGNED) == first
    await station.pass_time(62)
    await central.count(SIGNED, 7)
    last = ["Installing", "InstallRebooting", "Installed"]
    assert told(central, SIGNED) == first + last
    assert {one["requestId"] for one in central.of(SIGNED)} == {7}
    await central.count("SecurityEventNotification", 2)
    assert station.state()["violations"] == []


async def test_a_wrong_signature_is_an_event(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """TC_081: nothing is installed."""
    station.firmware.images[LOCATION] = b"something else"
    assert await Maker().update(central) == "Accepted"
    await station.pass_time(200)
    assert told(central, SIGNED) == ["Downloading", "Downloaded", "InvalidSignature"]
    events = [one["type"] for one in central.of("SecurityEventNotification")]
    assert events == ["InvalidFirmwareSignature"]
    assert station.state()["firmware"]["version"] == "2.4.1"


async def test_a_strange_signer_is_an_event(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """The manufacturer's root is what counts, if there is one."""
    station.security.trust([], [Authority("Maker").root_pem])
    assert await Maker().update(central) == "InvalidCertificate"
    await central.count("SecurityEventNotification", 1)
    event = central.of("SecurityEventNotification")[0]["type"]
    assert event == "InvalidFirmwareSigningCertificate"


async def test_a_second_update_takes_the_place_of_the_first_until_it_installs(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """AcceptedCanceled, then Rejected; what was replaced is silent."""
    maker = Maker()
    soon = (datetime(2026, 11, 21, 10, tzinfo=UTC) + timedelta(seconds=9)).isoformat()
    assert await maker.update(central, retrieveDateTime=soon) == "Accepted"
    assert await maker.update(central, 8) == "AcceptedCanceled"
    await station.pass_time(31)
    assert await maker.update(central, 9) == "Rejected"
    await station.pass_time(60)
    await central.count("BootNotification", 2)
    await station.pass_time(1)
    requests = [one["requestId"] for one in central.of(SIGNED)]
    assert requests == [7, 8, 8, 8, 8, 8, 8]


async def test_an_update_survives_being_offline(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """What happened meanwhile is told afterwards, in order."""
    await update(central)
    await station.pass_time(1)
    await station.disconnect()
    station.reconnect = False
    await station.pass_time(100)
    station.reconnect = True
    await station.connect()
    await central.count(PLAIN, 4)
    assert told(central) == ["Downloading", "Downloaded", "Installing", "Installed"]


async def test_an_update_survives_a_loss_of_power(
    central: PlainCentralSystem, clock: FakeClock, tmp_path: Path
) -> None:
    """In the middle of it, and just before the boot."""
    url = f"ws://127.0.0.1:{central.port}/ocpp"
    station: ChargingStation16 | None = None

    async def lose_power() -> ChargingStation16:
        if station is not None:
            await station.close()
        new = ChargingStation16(url, "CP1", clock=clock, memory=tmp_path / "state")
        await new.connect()
        return new

    async def wait(station: ChargingStation16, seconds: int) -> None:
        for _ in range(seconds):
            clock.tick(1)
            await station.advance(1)

    station = await lose_power()
    await update(central)
    await wait(station, 31)
    assert told(central)[-1] == "Installing"
    station = await lose_power()
    station.reconnect = False
    await wait(station, 62)
    assert station.state()["firmware"]["version"] == "2.5.0"
    station = await lose_power()
    assert central.of("BootNotification")[-1]["firmwareVersion"] == "2.5.0"
    assert told(central)[-1] == "Installed"
    await station.close()


async def test_firmware_is_downloaded_if_wished(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """And its signature checked."""
    station.firmware.fetch = True
    async with Depot().open() as depot:
        depot.offered["/fw-3.0.bin"] = IMAGE
        maker = Maker()
        await maker.update(central, location=f"{depot.url}/fw-3.0.bin")
        await station.pass_time(31)
        assert "SignatureVerified" in told(central, SIGNED)
        await station.pass_time(60)
        assert station.state()["firmware"]["version"] == "3.0"
        await maker.update(central, location=f"{depot.url}/gone.bin")
        await station.pass_time(31)
        await central.count(SIGNED, 8)
        assert told(central, SIGNED)[-1] == "DownloadFailed"


@pytest.mark.parametrize(
    ("location", "version"),
    [
        ("https://one.example/fw_v10.20.3-rc1.bin", "10.20.3"),
        ("https://one.example/2.9/latest", "2.4.2"),
    ],
)
async def test_a_location_tells_the_version_or_else_it_is_the_next(
    station: ChargingStation16, central: PlainCentralSystem, location: str, version: str
) -> None:
    """A dotted number in its last part."""
    await update(central, location=location)
    await station.pass_time(100)
    assert station.state()["firmware"]["version"] == version


@pytest.mark.parametrize(
    ("wanted", "action"),
    [("TriggerMessage", PLAIN), ("ExtendedTriggerMessage", SIGNED)],
)
async def test_what_goes_on_is_told_when_asked(
    station: ChargingStation16, central: PlainCentralSystem, wanted: str, action: str
) -> None:
    """Idle, or the last status."""
    await central.ask(wanted, requestedMessage=PLAIN)
    await central.count(action, 1)
    assert central.of(action) == [{"status": "Idle"}]
    await Maker().update(central)
    await station.pass_time(1)
    before = len(central.of(action))
    await central.ask(wanted, requestedMessage=PLAIN)
    await central.count(action, before + 1)
    assert central.of(action)[-1]["status"] == "Downloading"


async def test_updates_go_wrong_on_request(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """Refused, revoked, stuck, silent, without effect, without request."""
    maker = Maker()
    station.misbehaviours = {Misbehaviour.FIRMWARE_REFUSED}
    assert await update(central) == "NotSupported"
    assert await maker.update(central) == "Rejected"
    station.misbehaviours = {Misbehaviour.FIRMWARE_REVOKED}
    assert await maker.update(central) == "RevokedCertificate"
    station.misbehaviours = {Misbehaviour.FIRMWARE_STUCK}
    await update(central)
    await station.pass_time(1000, step=10)
    assert told(central) == ["Downloading"]
    station.misbehaviours = {
        Misbehaviour.FIRMWARE_SILENT,
        Misbehaviour.FIRMWARE_SAME_VERSION,
    }
    await update(central)
    await station.pass_time(100)
    assert told(central) == ["Downloading"]
    assert central.of("BootNotification")[-1]["firmwareVersion"] == "2.4.1"
    station.misbehaviours = {
        Misbehaviour.FIRMWARE_INVALID_SIGNATURE,
        Misbehaviour.OMIT_REQUEST_ID,
    }
    await maker.update(central)
    await station.pass_time(31)
    assert central.of(SIGNED)[-1] == {"status": "InvalidSignature"}


async def test_nobody_starts_while_the_software_is_replaced(
    station: ChargingStation16, central: PlainCentralSystem
) -> None:
    """A token is not even asked for."""
    await update(central)
    await station.pass_time(31)
    await station.plug_in()
    assert not await station.swipe("TAG1")
    assert central.of("Authorize") == []
