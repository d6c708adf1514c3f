/** Bounds and intervals of the page, each with its reason. */

/** How often the roster is read: the node labels may lag by this much. */
export const SNAPSHOT_INTERVAL_MS = 1_000;
/** The same while a move runs, so that the chart's colours change close to the true moment. */
export const SNAPSHOT_INTERVAL_MOVING_MS = 250;
/** One request to the demo endpoints; the server is on the same host or LAN. */
export const REQUEST_TIMEOUT_MS = 8_000;
/** Failed reads in a row before the page says that the server is away (a restart of control takes about this long). */
export const SNAPSHOT_FAILURES_SHOWN = 3;

/** Time span of the live chart: long enough to see a move and the calm around it. */
export const CHART_SPAN_MS = 30_000;
/** Width of one chart bucket: 120 points over the span, several frames in each. */
export const CHART_BUCKET_MS = 250;
/** How often the chart is drawn: once a bucket, so that drawing does not disturb what it measures. */
export const CHART_INTERVAL_MS = 250;
/** Span shown when one past move is looked at. */
export const CHART_FOCUS_SPAN_MS = 10_000;
/** How long frame gaps are kept, so that past moves can be looked at. */
export const GAP_HISTORY_MS = 300_000;
/** Gaps kept per video: 60 frames a second over the history, whatever the sender does. */
export const GAPS_MAX = 18_000;
/** Marked moves and hidden spans kept: more than fit in the history (a move takes over a second). */
export const MARKS_MAX = 300;

/** Rows of the history of moves. */
export const HISTORY_ROWS_MAX = 20;
/** Wait for the pages' reports after a move ended; the SDK's window closes 2 s after it. */
export const REPORT_WAIT_MS = 4_000;
/** Reports kept until their move is known, and moves kept with their reports. */
export const REPORTS_MAX = 200;
/** A person's name as it is shown; longer ones are cut. */
export const NAME_CHARS_MAX = 40;
/** A session name in the address. */
export const SESSION_NAME_CHARS_MAX = 64;

/** Frames per second of the test picture: what cameras commonly send. */
export const TEST_PICTURE_FPS = 30;
/** Loudness of the test tone (1 is full scale): audible, never unpleasant. */
export const TONE_GAIN = 0.03;
/** How long the browser's own permission dialogue may stay unanswered before the page offers the test picture. */
export const PERMISSION_HINT_MS = 2_500;
