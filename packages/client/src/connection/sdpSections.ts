/** The text of a session part and of each m-line of an SDP; joined they are what they were. */
export function sectionsOf(sdp: string): string[] {
  return sdp.split(/(?=^m=)/m);
}

/** Empty for the session part. */
export function midOf(section: string): string {
  return /^a=mid:(\S+)/m.exec(section)?.[1] ?? '';
}

/** The direction of each m-line, by its mid. */
export function directionsOf(sdp: string): ReadonlyMap<string, string> {
  const directions = new Map<string, string>();
  for (const section of sectionsOf(sdp)) {
    const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m.exec(section)?.[1];
    const mid = midOf(section);
    if (mid !== '' && direction !== undefined) directions.set(mid, direction);
  }
  return directions;
}
