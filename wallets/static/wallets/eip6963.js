// EIP-6963: wallets announce themselves; several can live in one browser side by side.

const found = new Map();
const listeners = new Set();

window.addEventListener("eip6963:announceProvider", (event) => {
  const { info, provider } = event.detail ?? {};
  if (!info?.uuid || !info.rdns || typeof provider?.request !== "function" || found.has(info.uuid)) return;
  found.set(info.uuid, { info, provider });
  for (const listener of listeners) listener(wallets());
});

/** Every wallet announced so far: `[{info: {uuid, name, icon, rdns}, provider}]`. */
export function wallets() {
  return [...found.values()];
}

/** Calls `listener` whenever another wallet announces itself; returns a function that stops that. */
export function onWallet(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Asks wallets to announce themselves (again). */
export function discover() {
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  return wallets();
}

/** The wallet with this reverse-DNS name, waiting up to `milliseconds` for it to announce itself; else undefined. */
export function findWallet(rdns, milliseconds = 1500) {
  const pick = () => wallets().find((wallet) => wallet.info.rdns === rdns);
  discover();
  if (pick()) return Promise.resolve(pick());
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      stop();
      resolve(pick());
    };
    const timer = setTimeout(finish, milliseconds);
    const stop = onWallet(() => pick() && finish());
  });
}
