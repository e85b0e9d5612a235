/** Our own icons: strokes on a grid of 24, `fill` ones are areas. Drawn by `Icon.svelte`. */

export type IconName = keyof typeof icons;

const SLASH = 'M4 4l16 16';
const MICROPHONE = 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6';
const CAMERA = 'M5 6.5h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM15 11l6-3.5v9L15 13';
const HANDSET =
  'M5.2 3.5h3.4a1.2 1.2 0 0 1 1.2.9l.8 3.5a1.2 1.2 0 0 1-.4 1.2L8.5 10.5a12.5 12.5 0 0 0 5 5l1.4-1.7a1.2 1.2 0 0 1 1.2-.4l3.5.8a1.2 1.2 0 0 1 .9 1.2v3.4a1.7 1.7 0 0 1-1.8 1.7C11 20.2 3.8 13 3.5 5.3a1.7 1.7 0 0 1 1.7-1.8z';

const STAR = 'M12 3.4l2.7 5.5 6 .9-4.4 4.2 1.1 6-5.4-2.9L6.6 20l1.1-6L3.3 9.8l6-.9z';

export const icons = {
  microphone: { path: MICROPHONE },
  microphone_off: { path: `${MICROPHONE}${SLASH}` },
  camera: { path: CAMERA },
  camera_off: { path: `${CAMERA}${SLASH}` },
  screen: {
    path: 'M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM12 13.5v-6M9.5 10L12 7.5l2.5 2.5M8 20.5h8',
  },
  screen_off: {
    path: 'M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM9.5 8l5 5M14.5 8l-5 5M8 20.5h8',
  },
  handset: { path: HANDSET, fill: true },
  hang_up: { path: HANDSET, fill: true, turn: 135 },
  ring_in: {
    path: 'M9 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM2.5 20c.6-3.6 3.2-5.5 6.5-5.5s5.9 1.9 6.5 5.5M18.5 7v6M15.500 10h6',
  },
  people: {
    path: 'M9 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM2.5 20c.6-3.6 3.2-5.5 6.5-5.5s5.9 1.9 6.5 5.5M15.5 4.8a3.5 3.5 0 0 1 0 6.4M18 14.8c1.9.8 3.1 2.5 3.5 5.2',
  },
  link: {
    path: 'M10 13.8a4 4 0 0 0 5.8.2l3.5-3.5a4 4 0 0 0-5.7-5.7l-1.5 1.5M14 10.2a4 4 0 0 0-5.8-.2l-3.5 3.5a4 4 0 0 0 5.7 5.7l1.5-1.5',
  },
  devices: {
    path: 'M3.5 7.5h8M17.5 7.5h3M14.5 5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5zM3.5 16.5h3M12.5 16.5h8M9.5 14a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z',
  },
  signal: { path: 'M5 19v-3M9.7 19v-7M14.3 19V8.5M19 19V5' },
  close: { path: 'M6 6l12 12M18 6L6 18' },
  flip: { path: 'M4 12a8 8 0 0 1 13.7-5.6L20 8.5M20 4v4.5h-4.5M20 12a8 8 0 0 1-13.7 5.6L4 15.5M4 20v-4.5h4.5' },
  copy: {
    path: 'M11 9h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM5.5 15A1.5 1.5 0 0 1 4 13.5V6a2 2 0 0 1 2-2h7.5A1.5 1.5 0 0 1 15 5.5',
  },
  check: { path: 'M5 12.5l4.5 4.5L19 7.5' },
  calendar: {
    path: 'M6 5.5h12a2 2 0 0 1 2 2v10.5a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V7.5a2 2 0 0 1 2-2zM4 10.5h16M8.5 3.5v4M15.5 3.5v4',
  },
  edit: { path: 'M4.5 19.5l1-4L16 5l3 3L8.5 18.5l-4 1zM13.5 7.5l3 3' },
  mail: { path: 'M5 5.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM3.5 7.5l8.5 6 8.5-6' },
  send: { path: 'M12 15V4M8 8l4-4 4 4M5 13v5a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-5' },
  key: { path: 'M15 3.5a5.5 5.5 0 1 1-3.6 9.7L4 20.5v-3M7 17.5l2 2M15.5 8.5v.2' },
  language: {
    path: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM3.5 12h17M12 3.5c2.5 2.4 3.6 5.2 3.6 8.5S14.5 18.1 12 20.5M12 3.5C9.5 5.9 8.4 8.7 8.4 12s1.1 6.1 3.6 8.5',
  },
  incoming: { path: 'M18 6L7 17M7 8.5V17h8.5' },
  outgoing: { path: 'M6 18L17 7M8.5 7H17v8.5' },
  missed: { path: 'M20.5 8L12 16.5 3.5 8M3.5 14V8h6' },
  more: {
    path: 'M12 3.7a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6zM12 10.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6zM12 16.7a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z',
    fill: true,
  },
  plus: { path: 'M12 5v14M5 12h14' },
  pin: { path: 'M9 3.5h6l-.8 6 3.3 3.2v1.8h-11v-1.8l3.3-3.2zM12 14.5v6' },
  remove: { path: 'M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.9 13h9.2l.9-13M10.2 10.5v6M13.8 10.5v6' },
  star: { path: STAR },
  star_on: { path: STAR, fill: true },
  previous: { path: 'M15 5l-7 7 7 7' },
  next: { path: 'M9 5l7 7-7 7' },
  sound: { path: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.5 4.5 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11' },
  notice: { path: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 8v5M12 16v.2' },
} as const satisfies Readonly<Record<string, { path: string; fill?: boolean; turn?: number }>>;
