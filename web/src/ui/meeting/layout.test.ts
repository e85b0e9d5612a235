import { describe, expect, it } from 'vitest';
import { type Box, formOf, GAP, type Layout, layOut, type Stage } from './layout.ts';

const wide: Stage = { width: 1424, height: 780, form: 'wide' };
const tablet: Stage = { width: 804, height: 1060, form: 'wide' };
const phone: Stage = { width: 344, height: 620, form: 'portrait' };
const turned: Stage = { width: 640, height: 344, form: 'landscape' };

describe.each([
  ['a wide window', wide],
  ['a tablet', tablet],
  ['a phone', phone],
  ['a turned phone', turned],
])('on %s', (_, stage) => {
  it.each([0, 1, 2])('tiles beside %d screens stay apart and inside the stage, for up to 60 people', (screens) => {
    for (const layout of layouts(stage, screens)) {
      const boxes = shown(layout);
      expect(boxes.filter((box) => !inside(box, stage))).toEqual([]);
      for (const [index, box] of boxes.entries()) {
        expect(boxes.slice(index + 1).filter((other) => !apart(box, other))).toEqual([]);
      }
    }
  });

  it.each([0, 1, 2])('everybody beside %d screens stands on exactly one page, for up to 60 people', (screens) => {
    for (let people = 1; people <= 60; people++) {
      const times = Array.from({ length: people }, () => 0);
      for (const layout of pagesOf(stage, screens, people)) {
        for (const [person, box] of layout.people.entries()) {
          if (box) times[person] = (times[person] ?? 0) + 1;
        }
      }
      expect(times).toEqual(times.map(() => 1));
    }
  });
});

it.each([
  { stage: wide, people: 1, columns: 1, rows: 1 },
  { stage: wide, people: 2, columns: 2, rows: 1 },
  { stage: wide, people: 3, columns: 2, rows: 2 },
  { stage: wide, people: 4, columns: 2, rows: 2 },
  { stage: wide, people: 9, columns: 3, rows: 3 },
  { stage: wide, people: 25, columns: 5, rows: 5 },
  { stage: tablet, people: 2, columns: 1, rows: 2 },
  { stage: phone, people: 1, columns: 1, rows: 1 },
  { stage: phone, people: 2, columns: 1, rows: 2 },
  { stage: phone, people: 3, columns: 2, rows: 2 },
  { stage: phone, people: 6, columns: 2, rows: 3 },
  { stage: turned, people: 2, columns: 2, rows: 1 },
])('$people people stand in $columns columns on $stage.form $stage.width', ({ stage, people, columns, rows }) => {
  const boxes = shown(layOut(stage, 0, people, 0));
  expect(new Set(boxes.map((box) => box.top)).size).toBe(rows);
  expect(Math.max(...boxes.map((box) => boxes.filter((other) => other.top === box.top).length))).toBe(columns);
});

it('one person has the whole stage', () => {
  expect(layOut(wide, 0, 1, 0).people).toEqual([{ left: 0, top: 0, width: 1424, height: 780 }]);
});

it('a page takes 25 people on a wide window and 6 on a phone', () => {
  expect(layOut(wide, 0, 25, 0).pages).toBe(1);
  expect(layOut(wide, 0, 26, 0).pages).toBe(2);
  expect(layOut(phone, 0, 6, 0).pages).toBe(1);
  expect(layOut(phone, 0, 7, 0).pages).toBe(2);
});

it('a page that is gone becomes the last one', () => {
  expect(layOut(phone, 0, 7, 9).page).toBe(1);
  expect(layOut(phone, 0, 3, 9).page).toBe(0);
});

it.each([0, 1])('on an upright phone a lonely last face beside %d screens leaves its place to one’s own', (screens) => {
  const [left, , last] = shown(layOut(phone, screens, 3, 0)).slice(screens);
  expect(last?.left).toBe(left?.left);
});

it('a shared screen is larger than any person', () => {
  for (const stage of [wide, tablet, phone, turned]) {
    const { screens, people } = layOut(stage, 1, 4, 0);
    const largest = Math.max(...people.map((box) => (box ? area(box) : 0)));
    expect(area(screens[0] as Box)).toBeGreaterThan(2 * largest);
  }
});

it.each([
  [360, 740, 'portrait'],
  [740, 360, 'landscape'],
  [820, 1180, 'wide'],
  [1440, 900, 'wide'],
  [700, 450, 'landscape'],
] as const)('%d × %d is %s', (width, height, form) => {
  expect(formOf(width, height)).toBe(form);
});

function layouts(stage: Stage, screens: number): Layout[] {
  return Array.from({ length: 61 }, (_, people) => pagesOf(stage, screens, people)).flat();
}

function pagesOf(stage: Stage, screens: number, people: number): Layout[] {
  const first = layOut(stage, screens, people, 0);
  return Array.from({ length: first.pages }, (_, page) => layOut(stage, screens, people, page));
}

function shown(layout: Layout): Box[] {
  return [...layout.screens, ...layout.people].filter((box) => box !== undefined);
}

function inside(box: Box, stage: Stage): boolean {
  const { left, top, width, height } = box;
  const fits = left + width <= stage.width + 0.01 && top + height <= stage.height + 0.01;
  return left >= 0 && top >= 0 && width > 0 && height > 0 && fits;
}

function apart(a: Box, b: Box): boolean {
  const gap = GAP - 0.01;
  return (
    a.left + a.width + gap <= b.left ||
    b.left + b.width + gap <= a.left ||
    a.top + a.height + gap <= b.top ||
    b.top + b.height + gap <= a.top
  );
}

function area(box: Box): number {
  return box.width * box.height;
}
