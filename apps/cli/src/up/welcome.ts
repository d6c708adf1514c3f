import qrcode from 'qrcode';

export interface PlatformDescription {
  readonly url: string;
  /** With `--lan`: the URL for other devices, and the file of the certificate that nobody else trusts. */
  readonly lan: { readonly url: string; readonly certificateFile: string } | undefined;
  readonly secretsPath: string;
  readonly nodeCount: number;
  /** Whether stdout is a terminal: a QR code in a log file helps nobody. */
  readonly colors: boolean;
}

/** The lines that say what runs and where to go. */
export async function describePlatform(platform: PlatformDescription): Promise<string[]> {
  const { lan, url } = platform;
  const shown = lan?.url ?? url;
  const lines = [
    `godwit: up, with ${platform.nodeCount} media node${platform.nodeCount === 1 ? '' : 's'}.`,
    `  Demo      ${shown}/demo`,
    `  Admin API ${shown}/admin/v1/nodes (described at ${shown}/openapi.json)`,
    `  Secrets   ${platform.secretsPath} (API key and secret, admin token)`,
  ];
  if (lan === undefined) return [...lines, '  Stop      Ctrl-C'];
  return [
    ...lines,
    `  Commands  GODWIT_CONTROL_URL=${url} NODE_EXTRA_CA_CERTS=${lan.certificateFile} npx godwit nodes`,
    '  Stop      Ctrl-C',
    '  Other devices on this network: open the demo URL and accept the certificate made by this machine.',
    ...(platform.colors ? [await qrcode.toString(`${lan.url}/demo`, { type: 'terminal', small: true })] : []),
  ];
}
