/** Entry of the script bundle: its default export becomes the global `OT`. */
import { OT } from './ot.js';

export default OT;
