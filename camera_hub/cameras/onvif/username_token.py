"""WSS UsernameToken Profile 1.0: the login to an ONVIF device inside the SOAP envelope. Pure."""

import base64
import hashlib
from datetime import UTC, datetime

from lxml import etree

from camera_hub.cameras.credentials.device_login import DeviceLogin

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DIGEST_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_NONCE_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"


def username_token(login: DeviceLogin, created: datetime, nonce: bytes) -> etree._Element:
    """The wsse:Security header; `created` must be the device's time, else a device with a wrong clock refuses it."""
    stamp = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # SHA-1 is what the UsernameToken profile 1.0 prescribes.
    proof = hashlib.sha1(nonce + stamp.encode() + login.password.encode(), usedforsecurity=False).digest()
    security = etree.Element(f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
    token = etree.SubElement(security, f"{{{WSSE}}}UsernameToken")
    etree.SubElement(token, f"{{{WSSE}}}Username").text = login.username
    password = etree.SubElement(token, f"{{{WSSE}}}Password", Type=DIGEST_TYPE)
    password.text = base64.b64encode(proof).decode()
    given = etree.SubElement(token, f"{{{WSSE}}}Nonce", EncodingType=_NONCE_TYPE)
    given.text = base64.b64encode(nonce).decode()
    etree.SubElement(token, f"{{{WSU}}}Created").text = stamp
    return security
