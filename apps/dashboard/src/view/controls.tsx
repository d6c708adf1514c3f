import type { Call } from '../call/call.js';
import type { Participant } from '../call/participant.js';
import { Icon, type IconName } from './icons.js';
import { MoveControl } from './move-control.js';

/** What the first person can do; at the bottom of the window, in reach of a thumb. */
export function Controls({ call }: { call: Call }) {
  const first = call.participants.value.find((one) => one.key === 'first');
  if (first === undefined) return null;
  const hasSecond = call.participants.value.length > 1;
  return (
    <div class="controls" role="group" aria-label="Call">
      <MoveControl call={call} />
      <button
        type="button"
        class="button second-person"
        disabled={call.addingSecond.value}
        title={hasSecond ? 'Remove second person' : 'Add a second person'}
        onClick={() => (hasSecond ? call.removeSecond() : void call.addSecond())}
      >
        <Icon name={hasSecond ? 'remove' : 'add'} />
        <span class="label">{hasSecond ? 'Remove second person' : 'Add a second person'}</span>
      </button>
      <Media call={call} first={first} />
      <button type="button" class="button danger" title="Leave" onClick={() => call.leave()}>
        <Icon name="leave" />
        <span class="label">Leave</span>
      </button>
    </div>
  );
}

function Media({ call, first }: { call: Call; first: Participant }) {
  const sound = call.sound.value;
  return (
    <>
      {first.source.audio !== false && (
        <Toggle
          on={first.sendsAudio.value}
          icons={['microphone', 'microphoneOff']}
          label={first.sendsAudio.value ? 'Mute' : 'Unmute'}
          onToggle={(on) => first.sendAudio(on)}
        />
      )}
      {first.source.video !== false && (
        <Toggle
          on={first.sendsVideo.value}
          icons={['camera', 'cameraOff']}
          label={first.sendsVideo.value ? 'Stop video' : 'Start video'}
          onToggle={(on) => first.sendVideo(on)}
        />
      )}
      <Toggle
        on={sound}
        icons={['sound', 'soundOff']}
        label={sound ? 'Sound off' : 'Sound on'}
        onToggle={(on) => call.setSound(on)}
      />
    </>
  );
}

interface ToggleProps {
  readonly on: boolean;
  readonly icons: readonly [on: IconName, off: IconName];
  readonly label: string;
  readonly onToggle: (on: boolean) => void;
}

function Toggle({ on, icons, label, onToggle }: ToggleProps) {
  return (
    <button type="button" class="button toggle" title={label} onClick={() => onToggle(!on)}>
      <Icon name={icons[on ? 0 : 1]} />
      <span class="label">{label}</span>
    </button>
  );
}
