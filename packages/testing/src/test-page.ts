/** What tests need of a page, whichever browser shows it. A page of Playwright's is one. */
export interface TestPage {
  goto(url: string): Promise<unknown>;
  setContent(html: string): Promise<void>;
  addScriptTag(tag: { url?: string; content?: string }): Promise<unknown>;
  evaluate<Result>(inPage: () => Result | Promise<Result>): Promise<Result>;
  evaluate<Result, Argument>(
    inPage: (argument: Argument) => Result | Promise<Result>,
    argument: Argument,
  ): Promise<Result>;
}
