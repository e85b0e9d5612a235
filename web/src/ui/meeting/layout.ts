/**
 * Where the tiles of a meeting stand: pure arithmetic. The faces get the most room that the shape of the stage allows;
 * a shared screen gets the larger part of it. Own picture is not in here: it lies beside the controls, or over the stage.
 */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** `portrait` and `landscape` are phones, `wide` is everything else. */
export type Form = 'portrait' | 'landscape' | 'wide';

export interface Stage {
  readonly width: number;
  readonly height: number;
  readonly form: Form;
}

export interface Layout {
  readonly screens: readonly Box[];
  /** As long as there are people; `undefined` stands on another page. */
  readonly people: readonly (Box | undefined)[];
  /** From 0, within `pages`. */
  readonly page: number;
  readonly pages: number;
}

export const GAP = 8;
const PER_PAGE: { readonly [F in Form]: number } = { portrait: 6, landscape: 6, wide: 25 };
/** A camera's picture is cropped to a tile of this shape at the most. */
const NARROWEST = 1 / 2;
const WIDEST = 2;

export function formOf(width: number, height: number): Form {
  if (height < 500 && width > height) return 'landscape';
  return width < 600 ? 'portrait' : 'wide';
}

export function layOut(stage: Stage, screens: number, people: number, page: number): Layout {
  const whole: Box = { left: 0, top: 0, width: stage.width, height: stage.height };
  if (screens === 0) return paged(stage, whole, [], people, page, PER_PAGE[stage.form]);
  if (people === 0)
    return { screens: grid(whole, screens, bestColumns(whole, screens)), people: [], page: 0, pages: 1 };
  const [main, strip, room] = split(stage, screens);
  return paged(stage, strip, grid(main, screens, bestColumns(main, screens)), people, page, room);
}

/** The part for screens, the strip for people, and how many people it takes. */
function split({ width, height, form }: Stage, screens: number): [main: Box, strip: Box, room: number] {
  if (width > height) {
    const strip = Math.round(Math.min(280, Math.max(140, width * 0.2)));
    const room = Math.max(1, Math.floor((height + GAP) / ((strip * 3) / 4 + GAP)));
    return [
      { left: 0, top: 0, width: width - strip - GAP, height },
      { left: width - strip, top: 0, width: strip, height },
      room,
    ];
  }
  const most = height * (form === 'portrait' ? 0.64 : 0.76);
  const strip = Math.round(height - Math.min(most, width * 0.75 * screens) - GAP);
  const inRow = Math.max(2, Math.floor((width + GAP) / ((strip * 3) / 4 + GAP)));
  const room = form === 'portrait' && strip > width * 0.9 ? 2 * inRow : inRow;
  return [
    { left: 0, top: 0, width, height: height - strip - GAP },
    { left: 0, top: height - strip, width, height: strip },
    room,
  ];
}

function paged(stage: Stage, area: Box, screens: Box[], people: number, wanted: number, perPage: number): Layout {
  const pages = Math.max(1, Math.ceil(people / perPage));
  const page = Math.min(Math.max(0, wanted), pages - 1);
  const first = page * perPage;
  // A last page that is not full keeps the shape of the others.
  const count = pages > 1 ? perPage : people;
  const phone = stage.form === 'portrait' && screens.length === 0;
  const columns = phone ? phoneColumns(count) : bestColumns(area, count);
  const rows = Math.ceil(count / columns);
  // On an upright phone own picture stands where the last row ends.
  const centred = stage.form !== 'portrait';
  const boxes = grid(area, Math.min(count, people - first), columns, rows, centred);
  const placed = Array.from({ length: people }, (_, index) => boxes[index - first]);
  return { screens, people: placed, page, pages };
}

function phoneColumns(count: number): number {
  return count <= 2 ? 1 : 2;
}

/** The number of columns at which the upright 4:3 part of a tile, where the face is, is largest. */
export function bestColumns(area: Box, count: number): number {
  let best = 1;
  let most = 0;
  for (let columns = 1; columns <= count; columns++) {
    const tile = fit(cell(area, columns, Math.ceil(count / columns)));
    const face = Math.min(tile.width, (tile.height * 4) / 3);
    if (face > most + 0.5) {
      best = columns;
      most = face;
    }
  }
  return best;
}

function grid(area: Box, count: number, columns: number, rows = Math.ceil(count / columns), centred = true): Box[] {
  const { width, height } = fit(cell(area, columns, rows));
  const top = area.top + (area.height - rows * height - (rows - 1) * GAP) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = centred ? Math.min(columns, count - row * columns) : columns;
    const left = area.left + (area.width - inRow * width - (inRow - 1) * GAP) / 2;
    return { left: left + (index % columns) * (width + GAP), top: top + row * (height + GAP), width, height };
  });
}

function cell(area: Box, columns: number, rows: number): { width: number; height: number } {
  return {
    width: Math.max(1, (area.width - (columns - 1) * GAP) / columns),
    height: Math.max(1, (area.height - (rows - 1) * GAP) / rows),
  };
}

function fit({ width, height }: { width: number; height: number }): { width: number; height: number } {
  return {
    width: Math.floor(Math.min(width, height * WIDEST)),
    height: Math.floor(Math.min(height, width / NARROWEST)),
  };
}
