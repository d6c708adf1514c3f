// Loaded into a media node by --import: breaks the one thing that every other test relies on. A node that takes a
// transport over forgets the last SRTCP indices that the former owner used, so it uses them again.
import { SrtpSender } from '@godwit/transport';

const FORGOTTEN = 25;
const thaw = SrtpSender.thaw.bind(SrtpSender);
SrtpSender.thaw = (keys, frozen, grant) =>
  thaw(
    keys,
    {
      ...frozen,
      sendRtcp: frozen.sendRtcp.map((space) => ({
        ...space,
        nextIndex: Math.max(0, space.nextIndex - FORGOTTEN),
      })),
    },
    grant,
  );
