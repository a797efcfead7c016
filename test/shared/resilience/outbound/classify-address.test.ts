import { test } from 'node:test'
import assert from 'node:assert/strict'
import { classifyAddress } from '../../../../shared/resilience/outbound/classify-address.ts'

const refused: Readonly<Record<string, readonly string[]>> = {
  'this network': ['0.0.0.0', '0.1.2.3'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fd12:3456::1', 'fec0::1'],
  'link-local and metadata': ['169.254.0.1', '169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254'],
  'carrier-grade NAT': ['100.64.0.1', '100.127.255.255', '100.100.100.200'],
  'host agents of clouds': ['168.63.129.16', '192.0.0.192'],
  'multicast and broadcast': ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1'],
  'reserved and documentation': [
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '240.0.0.1',
    '2001:db8::1',
    '100::1',
  ],
  mapped: ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8'],
  compatible: ['::7f00:1', '::127.0.0.1', '::8.8.8.8'],
  NAT64: ['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1'],
  'RFC 6145': ['::ffff:0:7f00:1'],
  '6to4 and Teredo': ['2002:7f00:1::', '2002:808:808::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  unspecified: ['::'],
  'not addresses': ['', 'localhost', '127.0.0.1:80', '[::1]', 'example.com', '1.2.3.4.5'],
}

for (const [kind, addresses] of Object.entries(refused)) {
  test(`${kind} is refused: ${addresses.join(' ')}`, () => {
    for (const address of addresses) assert.equal(classifyAddress(address).allowed, false, address)
  })
}

test('public addresses are allowed', () => {
  const neighbours = [
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '169.253.0.1',
    '169.255.0.1',
  ]
  for (const address of [...neighbours, '2606:4700:4700::1111', '2a00:1450:4001:81b::200e']) {
    assert.deepEqual(classifyAddress(address), { allowed: true }, address)
  }
})
