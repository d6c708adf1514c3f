import { batch, computed, signal } from '@preact/signals';
import { admit, migrate, readSnapshot, type Admission } from '../api/demo-api.js';
import type { Snapshot } from '../api/snapshot.js';
import { createGapBoard } from '../gaps/board.js';
import { SNAPSHOT_FAILURES_SHOWN, SNAPSHOT_INTERVAL_MOVING_MS, SNAPSHOT_INTERVAL_MS } from '../limits.js';
import { openCamera } from '../media/camera.js';
import type { MediaSource } from '../media/source.js';
import { createTestPicture } from '../media/test-picture.js';
import {
  migrationsRead,
  moveMeasured,
  moveRequested,
  moveStarted,
  noMoves,
  runningEpisode,
  type Moves,
} from '../moves/episodes.js';
import { problem, problemOfDisconnect, type Problem, type ProblemCode } from '../problems.js';
import { loadSdk } from '../sdk/load.js';
import type { OpenTok } from '../sdk/opentok.js';
import { birdName, type PageOptions } from './names.js';
import { join, type Participant, type ParticipantEvents } from './participant.js';
import { startPolling } from './poller.js';

/** Where the page is in its life. */
export type Phase =
  | { readonly kind: 'joining'; readonly step: 'server' | 'camera' | 'session' }
  | { readonly kind: 'in-call' }
  | { readonly kind: 'left' }
  | { readonly kind: 'failed'; readonly problem: Problem };

const FIRST = 'first';
const SECOND = 'second';
const PICTURES = { [FIRST]: { hue: 205, toneHz: 220 }, [SECOND]: { hue: 285, toneHz: 330 } };

/** The demo call: everything that the page shows, and everything that it can do. */
export class Call {
  readonly phase = signal<Phase>({ kind: 'joining', step: 'server' });
  readonly participants = signal<readonly Participant[]>([]);
  readonly snapshot = signal<Snapshot | null>(null);
  readonly moves = signal<Moves>(noMoves);
  readonly notices = signal<readonly Problem[]>([]);
  readonly sound = signal(false);
  readonly addingSecond = signal(false);
  /** A request for a move is on its way. */
  readonly asking = signal(false);
  readonly running = computed(() => runningEpisode(this.moves.value));
  readonly board = createGapBoard();

  readonly #options: PageOptions;
  #sdk: OpenTok | null = null;
  #sessionId: string | null = null;
  #poller: ReturnType<typeof startPolling> | null = null;
  #failedReads = 0;
  #skipCamera: (() => void) | null = null;

  constructor(options: PageOptions) {
    this.#options = options;
  }

  /** Joins, or joins again. */
  async start(): Promise<void> {
    this.notices.value = [];
    this.phase.value = { kind: 'joining', step: 'server' };
    this.#sdk = await loadSdk();
    const admission = await admit(this.#options.session);
    if (!admission.ok) return this.#fail(admission.problem);
    if (this.#sdk === null) return this.#fail(problem('sdk-missing'));
    this.phase.value = { kind: 'joining', step: 'camera' };
    const name = this.#options.name ?? birdName(Math.random(), null);
    const source = await this.#openSource(name);
    this.phase.value = { kind: 'joining', step: 'session' };
    this.#enter(this.#sdk, admission.value, { key: FIRST, name, source });
  }

  /** Stops waiting for the browser's permission dialogue. */
  useTestPicture(): void {
    this.#skipCamera?.();
  }

  /** A second person in this window. It always sends the test picture: one camera gives one picture. */
  async addSecond(): Promise<void> {
    if (this.#sdk === null || this.participants.value.length !== 1) return;
    this.addingSecond.value = true;
    const admission = await admit(this.#options.session);
    this.addingSecond.value = false;
    if (!admission.ok) return this.#notify(admission.problem);
    if (this.phase.value.kind !== 'in-call' || this.participants.value.length !== 1) return;
    const name = birdName(Math.random(), this.participants.value[0]?.name ?? null);
    this.#enter(this.#sdk, admission.value, {
      key: SECOND,
      name,
      source: createTestPicture({ name, ...PICTURES[SECOND] }),
    });
  }

  removeSecond(): void {
    this.#remove(SECOND)?.leave();
  }

  /** Asks the server to move the session, to `target` or to wherever it thinks best. */
  async move(target: string | null): Promise<void> {
    if (this.#sessionId === null || this.asking.value) return;
    this.asking.value = true;
    this.dismiss('one-node', 'move-running', 'move-too-soon', 'move-refused');
    const answer = await migrate(this.#sessionId, target);
    this.asking.value = false;
    if (!answer.ok) return this.#notify(answer.problem);
    this.moves.value = moveRequested(this.moves.value, answer.value, performance.now());
    this.#poller?.now();
  }

  /** What is played here. Only the first person listens: the second sits at the same loudspeaker. */
  setSound(on: boolean): void {
    this.sound.value = on;
    this.participants.value.find((one) => one.key === FIRST)?.playSound(on);
  }

  leave(): void {
    for (const participant of this.participants.value) participant.leave();
    this.#end({ kind: 'left' });
  }

  dismiss(...codes: ProblemCode[]): void {
    this.notices.value = this.notices.value.filter((one) => !codes.includes(one.code));
  }

  notify(code: ProblemCode): void {
    this.#notify(problem(code));
  }

  async #openSource(name: string): Promise<MediaSource> {
    const testPicture = (): MediaSource => createTestPicture({ name, ...PICTURES[FIRST] });
    if (this.#options.testPicture) return testPicture();
    const skipped = new Promise<null>((resolve) => (this.#skipCamera = () => resolve(null)));
    const asked = openCamera();
    const answer = await Promise.race([asked, skipped]);
    this.#skipCamera = null;
    if (answer === null) {
      // A permission given after all must not leave the camera on.
      void asked.then((late) => (late.ok ? late.source.stop() : undefined));
      return testPicture();
    }
    if (answer.ok) return answer.source;
    this.#notify(answer.problem);
    return testPicture();
  }

  #enter(
    OT: OpenTok,
    admission: Admission,
    person: { key: string; name: string; source: MediaSource },
  ): void {
    const participant = join(OT, admission, person, this.#eventsOf(person));
    if (person.key === FIRST) participant.playSound(this.sound.value);
    this.participants.value = [...this.participants.value, participant];
    if (this.#sessionId === admission.sessionId) return;
    this.#sessionId = admission.sessionId;
    this.#poller = startPolling(
      () => this.#read(admission.sessionId),
      () => (this.running.value === null ? SNAPSHOT_INTERVAL_MS : SNAPSHOT_INTERVAL_MOVING_MS),
    );
  }

  #eventsOf(person: { key: string; name: string }): ParticipantEvents {
    const isFirst = person.key === FIRST;
    return {
      onConnected: () => {
        if (isFirst) this.phase.value = { kind: 'in-call' };
        this.#poller?.now();
      },
      onConnectFailed: (message) => this.#lose(person.key, problem('connect-failed', message)),
      onPublishFailed: (message) => this.#notify(problem('publish-failed', message)),
      onDisconnected: (reason) => this.#lose(person.key, problemOfDisconnect(reason)),
      onMoveStarted: (moveId) => {
        this.moves.value = moveStarted(this.moves.value, moveId, performance.now());
        this.#poller?.now();
      },
      onMeasured: (report) => (this.moves.value = moveMeasured(this.moves.value, report)),
      onVideo: (received, element) =>
        this.board.watch(
          element,
          `${person.key}:${received.streamId}`,
          person.key,
          `${person.name} sees ${received.name}`,
        ),
      onVideoSwitched: (streamId, hasVideo) => this.board.suspend(`${person.key}:${streamId}`, !hasVideo),
    };
  }

  async #read(sessionId: string): Promise<void> {
    const answer = await readSnapshot(sessionId);
    if (this.#sessionId !== sessionId) return;
    if (!answer.ok) {
      this.#failedReads += 1;
      if (this.#failedReads === SNAPSHOT_FAILURES_SHOWN) this.#notify(answer.problem);
      return;
    }
    if (this.#failedReads > 0) this.dismiss('server-unreachable');
    this.#failedReads = 0;
    const nowMs = performance.now();
    batch(() => {
      this.snapshot.value = answer.value;
      this.moves.value = migrationsRead(this.moves.value, answer.value.migrations, nowMs);
    });
    for (const participant of this.participants.value) {
      const row = answer.value.connections.find((one) => one.connectionId === participant.connectionId.value);
      if (row?.nodeId != null) this.board.noteOwner(participant.key, row.nodeId, nowMs);
    }
  }

  /** A participant is gone, by the server or the network: the first takes the page along, the second does not. */
  #lose(key: string, reason: Problem | null): void {
    const gone = this.#remove(key);
    gone?.source.stop();
    if (gone === null || reason === null) return;
    if (key === SECOND) return this.#notify(reason);
    this.removeSecond();
    this.#fail(reason);
  }

  #remove(key: string): Participant | null {
    const participant = this.participants.value.find((one) => one.key === key) ?? null;
    this.participants.value = this.participants.value.filter((one) => one !== participant);
    return participant;
  }

  #fail(reason: Problem): void {
    this.notices.value = [];
    this.#end({ kind: 'failed', problem: reason });
  }

  #end(phase: Phase): void {
    this.#poller?.stop();
    this.#poller = null;
    this.#sessionId = null;
    this.#failedReads = 0;
    batch(() => {
      this.participants.value = [];
      this.snapshot.value = null;
      this.moves.value = noMoves;
      this.phase.value = phase;
    });
  }

  #notify(notice: Problem): void {
    this.notices.value = [...this.notices.value.filter((one) => one.code !== notice.code), notice];
  }
}
