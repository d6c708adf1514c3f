import { datapathContract } from '@godwit/datapath/contract';
import { SrtpReceiver, SrtpSender } from '@godwit/transport';
import { createDatapath } from './index.js';

datapathContract('datapath-js', {
  createDatapath,
  createSender: (keys) => new SrtpSender(keys),
  createReceiver: (keys) => new SrtpReceiver(keys),
});
