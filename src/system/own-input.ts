/** This process's standard input -> its bytes, in order and as fast as they are taken, and then its end. */

export type OwnInputOptions = {
  /** False: no more until `goOn`. The bytes are the taker's. */
  onBytes(bytes: Uint8Array): boolean;
  /** Called once, and not after `stop`. An input that cannot be read has ended. */
  onEnd(): void;
};

export interface OwnInput {
  /** There is room again. Where nothing waits, this does nothing. */
  goOn(): void;
  /** Reads no more. Twice is harmless. */
  stop(): void;
}

/**
 * Not by `process.stdin`: where that is paused while its input ends, and resumed then, Bun 1.4 never tells the end.
 * https://github.com/oven-sh/bun/pull/43100
 */
export function ownInput({ onBytes, onEnd }: OwnInputOptions): OwnInput {
  let isStopped = false;
  let room: PromiseWithResolvers<void> | undefined;
  let leave = (): void => {};

  async function read(): Promise<void> {
    const reader = Bun.stdin.stream().getReader();
    // A read that is under way would keep this process, and take what is the next one's.
    leave = () => void reader.cancel().catch(ended);
    for (let its = await reader.read(); !its.done; its = await reader.read()) {
      if (isStopped) return;
      if (onBytes(its.value)) continue;
      room = Promise.withResolvers();
      await room.promise;
      if (isStopped) return;
    }
  }

  function ended(): void {
    if (!isStopped) onEnd();
    isStopped = true;
  }

  read().then(ended, ended);
  return {
    goOn: () => room?.resolve(),
    stop() {
      isStopped = true;
      room?.resolve();
      leave();
    },
  };
}
