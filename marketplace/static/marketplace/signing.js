// Having a wallet send one transaction that the server prepared: the right account, the right chain, tried out first.
import { shortAddress } from "../site/dom.js";
import { chooseWallet } from "../wallets/connect.js";
import { networkByChainId } from "../wallets/networks.js";
import { rehearse } from "../wallets/reverts.js";
import { ensureChain, sendCall, waitForReceipt, WalletProblem } from "../wallets/wallet.js";

/** The wallet to sign with, or null when the person closed the dialog. */
export function wallet() {
  return chooseWallet();
}

/**
 * Sends `call` from `chosen`. With `signer` only that address will do, as the escrow takes no other. `say` is told what
 * to wait for. Returns once the transaction is in a block; throws WalletProblem with a sentence for the person.
 */
export async function send(chosen, call, { signer = null, say = () => {}, sent = () => {} } = {}) {
  if (signer && signer.toLowerCase() !== chosen.address.toLowerCase()) {
    throw new WalletProblem(`Only ${shortAddress(signer)} can do this, and your wallet is on ${shortAddress(chosen.address)}. Switch the wallet to it and try again.`, "wrong_account");
  }
  const network = await networkByChainId(call.chainId);
  if (!network) throw new WalletProblem("This network is not offered at the moment. Try again later.", "failed");
  await ensureChain(chosen.provider, network);
  await rehearse(chosen.provider, chosen.address, call);
  say(`Confirm in ${chosen.info.name}.`);
  const hash = await sendCall(chosen.provider, chosen.address, call);
  sent(hash);
  say("Sent. It is being taken into a block.");
  const mined = await waitForReceipt(chosen.provider, hash);
  if (!mined) throw new WalletProblem("The transaction has not been taken into a block yet. You can close this page; it goes on by itself.", "waiting");
  if (mined.status !== "0x1") throw new WalletProblem("The transaction failed in its block: only the network's fee was spent. Reload the page to see where the payment stands.", "failed");
  say("It is in a block. This page changes as soon as we have read it.");
  return hash;
}
