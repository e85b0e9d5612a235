/** Lines of a chart from points of a timeline. Pure. */

/** One drawn line: stretches between gaps. */
export function stretches(
  values: readonly (number | undefined)[],
  most: number,
  width: number,
  height: number,
): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = '';
  let open = false;
  values.forEach((value, index) => {
    if (value === undefined) {
      open = false;
      return;
    }
    const x = round(index * step);
    const y = round(height - (Math.min(value, most) / most) * height);
    // A lone point is a dot: a line of no length with round ends.
    path += open ? `L${x} ${y}` : `M${x} ${y}h0`;
    open = true;
  });
  return path;
}

export function greatest(...lines: readonly (readonly (number | undefined)[])[]): number {
  return Math.max(0, ...lines.flat().map((value) => value ?? 0));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
