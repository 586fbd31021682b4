import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** https://www.iana.org/assignments/iana-ipv4-special-registry, with multicast and the reserved rest. */
const localIPv4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8], // unspecified: connects to this very machine
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local; clouds serve their credentials at 169.254.169.254
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24], // documentation, as the two below
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16],
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
];

/** https://www.iana.org/assignments/iana-ipv6-special-registry: the exceptions within global unicast. */
const localIPv6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23], // protocol assignments: Teredo, ORCHID, benchmarks
  ['2001:db8::', 32], // documentation, as the last one
  ['2002::', 16], // 6to4: wraps any IPv4 address
  ['3fff::', 20],
];

/** Wraps an IPv4 address for networks that speak IPv6 only (RFC 6052): as good or bad as what it wraps. */
const NAT64 = '64:ff9b::';

const local = new BlockList();
for (const [network, prefix] of localIPv4) {
  local.addSubnet(network, prefix, 'ipv4');
  local.addSubnet(NAT64 + network, 96 + prefix, 'ipv6');
}
for (const [network, prefix] of localIPv6) local.addSubnet(network, prefix, 'ipv6');

// Anything else of IPv6 is loopback, link-local, unique-local, multicast, unassigned, or hides an IPv4 address.
const globalIPv6 = new BlockList();
globalIPv6.addSubnet('2000::', 3, 'ipv6');
globalIPv6.addSubnet(NAT64, 96, 'ipv6');

/** Whether an IP address is one of the open internet: not this machine, not its network, nothing reserved. */
export function isPublic(address: string): boolean {
  if (isIPv4(address)) return !local.check(address, 'ipv4');
  return isIPv6(address) && globalIPv6.check(address, 'ipv6') && !local.check(address, 'ipv6');
}
