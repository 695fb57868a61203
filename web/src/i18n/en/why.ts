/** Exactly why, where an error names it (its parameter `why`); the reason's own words serve everybody else. */
export default {
  address_refused: {
    not_an_address: 'Not written as a plain IP address; give it as 192.168.1.64',
    unspecified: 'This is the unspecified address; give the device’s own address',
    multicast: 'This is a multicast address; give the device’s own address',
    link_local: 'This is a link-local address, which is not reached across a network; give the device an address of its network',
    broadcast: 'This is a broadcast address; give the device’s own address',
    reserved: 'This is a reserved address; give the device’s own address',
    embedded: 'This IPv6 address holds an IPv4 address; give that IPv4 address itself',
    port: 'A port is a number from 1 to 65535',
    loopback: 'This is the hub’s own machine; give the device’s own address',
    own_address: 'This is an address of the hub itself; give the device’s own address',
    own_service: 'The hub itself listens there; give the device’s own address and port',
  },
  bad_url: {
    too_long: 'The stream address is too long (512 characters at most)',
    characters: 'The stream address contains spaces, line breaks or characters outside ASCII',
    scheme: 'The stream address must begin with rtsp:// or rtsps://',
    backslash: 'The stream address contains a backslash',
    no_host: 'The stream address names no host',
    host: 'The host in the stream address cannot be a camera',
    login: 'No host is found behind the user name and password; put user name and password in their own fields',
    two_ways: 'What is the password and what the host can be read in two ways; put user name and password in their own fields',
    login_characters: 'The login contains characters that no device accepts',
    path_characters: 'The path contains line breaks or control characters',
    unreadable: 'The stream address cannot be read',
  },
}
