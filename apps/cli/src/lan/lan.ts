import { CliError } from '../errors.js';
import { lanAddresses } from './addresses.js';
import { prepareLanCertificate, type LanCertificate } from './certificate.js';

/** How devices of the local network reach this machine. */
export interface Lan {
  readonly address: string;
  readonly certificate: LanCertificate;
}

/** Finds this machine's address and a certificate for it; throws a CliError without a network. */
export async function prepareLan(dataDir: string): Promise<Lan> {
  const addresses = lanAddresses();
  const [address] = addresses;
  if (address === undefined) {
    throw new CliError(
      'unavailable',
      'This machine has no address on a local network. Connect it, or start without --lan.',
    );
  }
  return { address, certificate: await prepareLanCertificate(dataDir, addresses, new Date()) };
}

/** The URL that other devices open, from the one that this machine uses. */
export function lanUrl(lan: Lan, localUrl: string): string {
  const url = new URL(localUrl);
  url.hostname = lan.address;
  return url.origin;
}
