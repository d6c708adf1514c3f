import { complete } from '../events/completion.js';
import type { Completion } from '../events/completion.js';
import { reported } from '../events/exceptions.js';
import type { RequestBody } from '../signalling/requests.js';
import type { Connection, Stream } from './stream.js';

/** What moderators ask for. */
export type ModerationType =
  'forceDisconnect' | 'forceUnpublish' | 'forceMuteStream' | 'forceMuteAll' | 'disableForceMute';

/** Asks the server; fails with OT_NOT_CONNECTED without a session. */
export type ModerationRequest = <T extends ModerationType>(type: T, body: RequestBody<T>) => Promise<void>;

const idOf = (stream: Stream | string): string => (typeof stream === 'string' ? stream : stream.streamId);

/** What a moderator does to others. Whether it may is the server's word. */
export class Moderation {
  readonly #request: ModerationRequest;

  constructor(request: ModerationRequest) {
    this.#request = request;
  }

  disconnect(connection: Connection | string, completion: Completion | undefined): void {
    const connectionId = typeof connection === 'string' ? connection : connection.connectionId;
    const done = this.#request('forceDisconnect', { connectionId });
    complete(done, completion, 'OT_UNABLE_TO_FORCE_DISCONNECT');
  }

  unpublish(stream: Stream | string, completion: Completion | undefined): void {
    const done = this.#request('forceUnpublish', { streamId: idOf(stream) });
    complete(done, completion, 'OT_UNABLE_TO_FORCE_UNPUBLISH');
  }

  muteStream(stream: Stream | string): Promise<void> {
    return reported(this.#request('forceMuteStream', { streamId: idOf(stream) }));
  }

  muteAll(excludedStreams: readonly (Stream | string)[]): Promise<void> {
    return reported(this.#request('forceMuteAll', { excludedStreamIds: excludedStreams.map(idOf) }));
  }

  disableMute(): Promise<void> {
    return reported(this.#request('disableForceMute', {}));
  }
}
