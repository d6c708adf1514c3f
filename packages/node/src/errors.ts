import type { NodeErrorCode } from '@godwit/protocol';

/** A command that this node refuses; the code tells control what to do, the message tells a person. */
export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly code: NodeErrorCode;

  constructor(code: NodeErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
