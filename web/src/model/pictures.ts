/** Addresses of pictures. Each has its version in it, so that browsers keep it until it changes. */

export function picturePath(person: string, version: string): string {
  return `/api/v1/people/${encodeURIComponent(person)}/picture?v=${encodeURIComponent(version)}`;
}

export function logoPath(version: string): string {
  return `/api/v1/logo?v=${encodeURIComponent(version)}`;
}
