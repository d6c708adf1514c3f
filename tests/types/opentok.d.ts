/** The part of the `opentok` package that tests call; it brings no types of its own. */
declare module 'opentok' {
  export default class OpenTok {
    constructor(apiKey: string, apiSecret: string, apiUrl?: string);
    createSession(
      options: object,
      callback: (error: Error | null, session?: { readonly sessionId: string }) => void,
    ): void;
    generateToken(sessionId: string, options?: object): string;
    listStreams(
      sessionId: string,
      callback: (error: Error | null, streams?: readonly unknown[]) => void,
    ): void;
  }
}
