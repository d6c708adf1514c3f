import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.js';
import { nodeColour } from './node-colour.js';

interface Props {
  readonly name: string;
  readonly nodeId: string | null;
  readonly nodeIds: readonly string[];
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** The SDK's element, shown as it is: what is measured is what is seen. */
  readonly element: HTMLVideoElement | null;
  readonly children?: ComponentChildren;
}

/** One person as seen by a participant of this window. */
export function Tile({ name, nodeId, nodeIds, hasAudio, hasVideo, element, children }: Props) {
  const holder = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (element === null) return undefined;
    holder.current?.append(element);
    // A video that leaves the document pauses; one that moves must be told to go on.
    void element.play().catch(() => undefined);
    return () => element.remove();
  }, [element]);
  return (
    <figure class="tile" style={{ '--node': `var(${nodeColour(nodeId, nodeIds)})` }}>
      <div class={hasVideo ? 'tile-video' : 'tile-video off'} ref={holder} />
      {!hasVideo && <p class="tile-off">Camera off</p>}
      {element === null && hasVideo && children === undefined && (
        <p class="tile-off">Waiting for the picture …</p>
      )}
      {children}
      <figcaption>
        <span class="tile-name">{name}</span>
        {!hasAudio && (
          <span class="tile-muted" title="Microphone off">
            <Icon name="microphoneOff" />
            <span class="visually-hidden">microphone off</span>
          </span>
        )}
        <span class="node-chip">
          <span class="node-dot" aria-hidden="true" />
          {nodeId ?? '…'}
        </span>
      </figcaption>
    </figure>
  );
}
