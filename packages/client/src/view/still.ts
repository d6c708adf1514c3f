const PNG = 'image/png';

/** The picture that a video shows now, as PNG in base64; null while there is none. */
export function stillOf(video: HTMLVideoElement): string | null {
  const { videoWidth: width, videoHeight: height } = video;
  if (width === 0 || height === 0) return null;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  canvas.getContext('2d')?.drawImage(video, 0, 0, width, height);
  return canvas.toDataURL(PNG).replace(`data:${PNG};base64,`, '');
}
