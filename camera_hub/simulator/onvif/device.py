"""The device service."""

import ipaddress
import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote
from xml.sax.saxutils import escape

from lxml import etree

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import DeviceKind
from camera_hub.simulator.onvif.call import Call, Operation
from camera_hub.simulator.onvif.soap import SPACES, Refusal
from camera_hub.simulator.settings import NtpServer, parsed_zone
from camera_hub.simulator.state import DeviceState

PATHS = {
    "tds": "/onvif/device_service",
    "trt": "/onvif/Media",
    "tr2": "/onvif/Media2",
    "tptz": "/onvif/PTZ",
    "timg": "/onvif/Imaging",
    "tse": "/onvif/Search",
    "tev": "/onvif/Events",
}
_HOSTS = {"IPv4": "IPv4Address", "IPv6": "IPv6Address", "DNS": "DNSname"}
_HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62}\.?)*")
_MOST_SERVERS = 2
_SCOPE = "onvif://www.onvif.org/"


def scopes(state: DeviceState) -> list[str]:
    """The device's scopes in discovery and GetScopes, percent-encoded."""
    village, plan = state.village, state.plan
    kind = "recorder" if plan.kind is DeviceKind.RECORDER else "video_encoder"
    return [
        _SCOPE + scope
        for scope in (
            f"type/{kind}",
            "Profile/Streaming",
            "Profile/T",
            f"hardware/{quote(plan.model)}",
            f"name/{quote(plan.name)}",
            f"location/{quote(village.name)}",
            f"MAC/{quote(state.mac)}",
            f"SerialNumber/{state.serial}",
        )
    ]


class DeviceService:
    """Clock, identity, capabilities, network."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {
            "tds:GetSystemDateAndTime": self._get_time,
            "tds:SetSystemDateAndTime": self._set_time,
            "tds:GetServices": self._get_services,
            "tds:GetServiceCapabilities": self._get_service_capabilities,
            "tds:GetCapabilities": self._get_capabilities,
            "tds:GetDeviceInformation": self._get_information,
            "tds:GetScopes": self._get_scopes,
            "tds:GetNetworkInterfaces": self._get_interfaces,
            "tds:GetNetworkProtocols": self._get_protocols,
            "tds:GetHostname": self._get_hostname,
            "tds:GetNTP": self._get_ntp,
            "tds:SetNTP": self._set_ntp,
            "tds:GetUsers": self._get_users,
            "tds:GetEndpointReference": self._get_endpoint,
            "tds:GetWsdlUrl": self._get_wsdl,
            "tds:GetDiscoveryMode": self._get_discovery_mode,
        }

    async def _get_time(self, call: Call) -> str:
        now, faults = call.state.now(), call.state.faults()
        if Fault.NO_CLOCK in faults:
            raise Refusal("Action failed", "ter:Action", sender=False, status=round(faults[Fault.NO_CLOCK]))
        setting = call.state.settings.clock
        local = call.state.settings.local(now)
        utc = f"<tt:UTCDateTime>{_moment(local if Fault.UTC_IS_LOCAL in faults else now)}</tt:UTCDateTime>"
        return (
            f"<tds:SystemDateAndTime><tt:DateTimeType>{'NTP' if setting.ntp else 'Manual'}</tt:DateTimeType>"
            f"<tt:DaylightSavings>{str(setting.daylight).lower()}</tt:DaylightSavings>"
            f"<tt:TimeZone><tt:TZ>{escape(setting.zone)}</tt:TZ></tt:TimeZone>"
            f"{'' if Fault.LOCAL_TIME_ONLY in faults else utc}"
            f"<tt:LocalDateTime>{_moment(local)}</tt:LocalDateTime></tds:SystemDateAndTime>"
        )

    async def _set_time(self, call: Call) -> str:
        envelope, settings = call.envelope, call.state.settings
        kind = envelope.text("tds:DateTimeType")
        if kind not in ("Manual", "NTP"):
            raise Refusal("The time is Manual or NTP", "ter:InvalidArgVal")
        zone = envelope.text("tds:TimeZone/tt:TZ", settings.clock.zone)
        if parsed_zone(zone) is None:
            raise Refusal("That is not a time zone", "ter:InvalidArgVal", "ter:InvalidTimeZone")
        manual = kind == "Manual" and envelope.find("tds:UTCDateTime") is not None
        moment = _read_moment(call) if manual else None
        if kind == "NTP" and not (settings.clock.servers or settings.clock.servers_from_dhcp):
            raise Refusal("No NTP server is known", "ter:InvalidArgVal", "ter:NtpServerUndefined")
        daylight = envelope.text("tds:DaylightSavings", "false") in ("true", "1")
        settings.clock = replace(settings.clock, ntp=kind == "NTP", zone=zone, daylight=daylight)
        if moment is not None:
            call.state.set_clock(moment)
        elif kind == "NTP":
            call.state.ask_ntp()
        return ""

    async def _get_services(self, call: Call) -> str:
        return "".join(
            f"<tds:Service><tds:Namespace>{SPACES[prefix]}</tds:Namespace><tds:XAddr>{call.state.http_url(path)}</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for prefix, path in PATHS.items()
            if not (prefix == "tev" and Fault.NO_EVENTS in call.state.faults())
            and not (prefix == "tse" and (Fault.NO_SEARCH in call.state.faults() or not call.state.plan.kept_days))
        )

    async def _get_service_capabilities(self, call: Call) -> str:
        return (
            '<tds:Capabilities><tds:Network NTP="1"/><tds:Security HttpDigest="true" UsernameToken="true"/>'
            '<tds:System DiscoveryResolve="true" DiscoveryBye="true"/></tds:Capabilities>'
        )

    async def _get_capabilities(self, call: Call) -> str:
        def address(prefix: str) -> str:
            return f"<tt:XAddr>{call.state.http_url(PATHS[prefix])}</tt:XAddr>"

        ptz = f"<tt:PTZ>{address('tptz')}</tt:PTZ>" if any(one.ptz for one in call.state.plan.channels) else ""
        return (
            f"<tds:Capabilities><tt:Device>{address('tds')}</tt:Device>"
            f"<tt:Events>{address('tev')}<tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport>"
            "<tt:WSPullPointSupport>true</tt:WSPullPointSupport>"
            "<tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport>"
            f"</tt:Events><tt:Imaging>{address('timg')}</tt:Imaging><tt:Media>{address('trt')}"
            "<tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>"
            "<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>"
            f"{ptz}</tds:Capabilities>"
        )

    async def _get_information(self, call: Call) -> str:
        plan = call.state.plan
        return (
            f"<tds:Manufacturer>{plan.manufacturer}</tds:Manufacturer><tds:Model>{plan.model}</tds:Model>"
            f"<tds:FirmwareVersion>{plan.firmware}</tds:FirmwareVersion><tds:SerialNumber>{call.state.serial}</tds:SerialNumber>"
            "<tds:HardwareId>88</tds:HardwareId>"
        )

    async def _get_scopes(self, call: Call) -> str:
        return "".join(
            f"<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>{scope}</tt:ScopeItem></tds:Scopes>"
            for scope in scopes(call.state)
        )

    async def _get_interfaces(self, call: Call) -> str:
        return (
            '<tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name>'
            f"<tt:HwAddress>{call.state.mac}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>"
            "<tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config><tt:Manual>"
            f"<tt:Address>{call.state.shown_address}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual>"
            "<tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4></tds:NetworkInterfaces>"
        )

    async def _get_protocols(self, call: Call) -> str:
        return "".join(
            f"<tds:NetworkProtocols><tt:Name>{name}</tt:Name><tt:Enabled>true</tt:Enabled><tt:Port>{port}</tt:Port>"
            "</tds:NetworkProtocols>"
            for name, port in (("HTTP", call.state.http_port), ("RTSP", call.state.rtsp_port))
        )

    async def _get_hostname(self, call: Call) -> str:
        return (
            "<tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP>"
            f"<tt:Name>{escape(call.state.plan.key)}</tt:Name></tds:HostnameInformation>"
        )

    async def _get_ntp(self, call: Call) -> str:
        setting = call.state.settings.clock
        element = "NTPFromDHCP" if setting.servers_from_dhcp else "NTPManual"
        servers = (NtpServer("IPv4", "192.168.1.1"),) if setting.servers_from_dhcp else setting.servers
        told = "".join(
            f"<tt:{element}><tt:Type>{one.kind}</tt:Type>"
            f"<tt:{_HOSTS[one.kind]}>{escape(one.host)}</tt:{_HOSTS[one.kind]}></tt:{element}>"
            for one in servers
        )
        dhcp = str(setting.servers_from_dhcp).lower()
        return f"<tds:NTPInformation><tt:FromDHCP>{dhcp}</tt:FromDHCP>{told}</tds:NTPInformation>"

    async def _set_ntp(self, call: Call) -> str:
        from_dhcp = call.envelope.text("tds:FromDHCP") in ("true", "1")
        servers = tuple(_read_server(element) for element in call.envelope.body.iterfind("tds:NTPManual", SPACES))
        if len(servers) > _MOST_SERVERS:
            raise Refusal("There are too many servers", "ter:InvalidArgVal", "ter:InvalidNtpServer")
        settings = call.state.settings
        kept = servers if servers or not from_dhcp else settings.clock.servers
        settings.clock = replace(settings.clock, servers=kept, servers_from_dhcp=from_dhcp)
        if settings.clock.ntp:
            call.state.ask_ntp()
        return ""

    async def _get_users(self, call: Call) -> str:
        return "".join(
            f"<tds:User><tt:Username>{escape(login.username)}</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User>"
            for login in call.state.onvif_logins
        )

    async def _get_endpoint(self, call: Call) -> str:
        return f"<tds:GUID>urn:uuid:{call.state.uuid}</tds:GUID>"

    async def _get_wsdl(self, call: Call) -> str:
        return f"<tds:WsdlUrl>{call.state.http_url('/onvif/')}</tds:WsdlUrl>"

    async def _get_discovery_mode(self, call: Call) -> str:
        return "<tds:DiscoveryMode>Discoverable</tds:DiscoveryMode>"


def device_address(state: DeviceState) -> str:
    """The XAddr of the device service."""
    return state.http_url(PATHS["tds"])


def _read_moment(call: Call) -> datetime:
    """The UTC time of a request. Raises Refusal."""
    parts = (
        ("Date", "Year"), ("Date", "Month"), ("Date", "Day"), ("Time", "Hour"), ("Time", "Minute"), ("Time", "Second"),
    )  # fmt: skip
    try:
        year, month, day, hour, minute, second = (
            int(call.envelope.text(f"tds:UTCDateTime/tt:{group}/tt:{part}")) for group, part in parts
        )
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise Refusal("That is not a time", "ter:InvalidArgVal", "ter:InvalidDateTime") from error


def _read_server(element: etree._Element) -> NtpServer:
    """One NTPManual of a request. Raises Refusal."""
    kind = element.findtext("tt:Type", "", SPACES).strip()
    host = element.findtext(f"tt:{_HOSTS.get(kind, 'DNSname')}", "", SPACES).strip()
    try:
        if kind == "DNS" and _HOST_NAME.fullmatch(host) is None:
            raise ValueError(host)
        if kind != "DNS":
            {"IPv4": ipaddress.IPv4Address, "IPv6": ipaddress.IPv6Address}[kind](host)
    except (ValueError, KeyError) as error:
        code = "ter:InvalidDnsName" if kind == "DNS" else "ter:InvalidIPv4Address"
        raise Refusal("That is not a server's address", "ter:InvalidArgVal", code) from error
    return NtpServer(kind, host)


def _moment(moment: datetime) -> str:
    return (
        f"<tt:Time><tt:Hour>{moment.hour}</tt:Hour><tt:Minute>{moment.minute}</tt:Minute>"
        f"<tt:Second>{moment.second}</tt:Second></tt:Time><tt:Date><tt:Year>{moment.year}</tt:Year>"
        f"<tt:Month>{moment.month}</tt:Month><tt:Day>{moment.day}</tt:Day></tt:Date>"
    )
