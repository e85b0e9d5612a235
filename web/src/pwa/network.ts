/** What the browser tells of the network and of itself, for reports on the connection. Absent is not known. */

import type { BrowserFamily, NetworkKind } from '../protocol/generated.ts';

/** Only some browsers say it, most of them on phones. */
export function networkKind(of: Navigator = navigator): NetworkKind | undefined {
  const connection: unknown = 'connection' in of ? of.connection : undefined;
  if (typeof connection !== 'object' || connection === null || !('type' in connection)) return undefined;
  switch (connection.type) {
    case 'wifi':
    case 'ethernet':
    case 'cellular':
      return connection.type;
    case 'unknown':
    case 'none':
      return undefined;
    default:
      return typeof connection.type === 'string' ? 'other' : undefined;
  }
}

export function browserFamily(userAgent: string): BrowserFamily {
  if (/Firefox\//.test(userAgent)) return 'firefox';
  if (/Chrom(e|ium)\//.test(userAgent)) return 'chromium';
  return /Safari\//.test(userAgent) ? 'safari' : 'other';
}
