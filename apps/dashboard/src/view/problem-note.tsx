import type { Problem } from '../problems.js';
import { Icon } from './icons.js';

interface Props {
  readonly problem: Problem;
  readonly onRetry: () => void;
  readonly onClose?: () => void;
}

/** Something went wrong: what, and what to do next. */
export function ProblemNote({ problem, onRetry, onClose }: Props) {
  return (
    <div class="note" role="alert">
      <p>
        <strong>{problem.title}.</strong> {problem.advice}
      </p>
      {problem.remedy === 'retry' && (
        <button type="button" class="button small" onClick={onRetry}>
          Try again
        </button>
      )}
      {problem.remedy === 'reload' && (
        <button type="button" class="button small" onClick={() => window.location.reload()}>
          Reload
        </button>
      )}
      {onClose !== undefined && (
        <button type="button" class="button small quiet" aria-label="Close this message" onClick={onClose}>
          <Icon name="close" />
        </button>
      )}
    </div>
  );
}
