const PATHS = {
  microphone: 'M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3Zm-6-3a6 6 0 0 0 12 0M12 18v3',
  microphoneOff:
    'M4 4l16 16M9 9v3a3 3 0 0 0 5 2.2M15 10.5V6a3 3 0 0 0-5.8-1M6 12a6 6 0 0 0 9.3 5M18 12a6 6 0 0 1-.4 2.2M12 18v3',
  camera: 'M4 7h10a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1Zm11 4 6-3v8l-6-3',
  cameraOff:
    'M4 4l16 16M15 12.5V8a1 1 0 0 0-1-1H9.5M6 7H4a1 1 0 0 0-1 1v8a1 1 0 0 0 1 1h10M15 11l6-3v8l-3-1.5',
  sound: 'M4 10v4h4l5 4V6L8 10H4Zm12-1a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11',
  soundOff: 'M4 10v4h4l5 4V6L8 10H4Zm12 0 5 5m0-5-5 5',
  move: 'M4 8h13m-4-4 4 4-4 4M20 16H7m4-4-4 4 4 4',
  add: 'M10 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8c0-3.3 3-5.5 7-5.5 1.4 0 2.700.3 3.800.8M18 14v6m-3-3h6',
  remove: 'M10 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8c0-3.3 3-5.5 7-5.5 1.4 0 2.700.3 3.800.8M15 17h6',
  link: 'M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1',
  leave: 'M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M10 8l-4 4 4 4M6 12h9',
  light:
    'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v1.500M12 19.500V21M3 12h1.500M19.500 12H21M5.600 5.600l1 1M17.400 17.400l1 1M5.600 18.400l1-1M17.400 6.600l1-1',
  dark: 'M20 14.500A8 8 0 0 1 9.500 4a8 8 0 1 0 10.500 10.500Z',
  auto: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16Zm0-16v16',
  close: 'M6 6l12 12M18 6 6 18',
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing beside a text or in a labelled button; always decorative. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
