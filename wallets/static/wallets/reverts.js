// Why the escrow or a token would refuse a call: the selectors of their custom errors, as sentences for people.
import { WalletProblem } from "./wallet.js";

const SENTENCES = {
  "0x810e78c7": ["quote_over", "This offer has run out, so nothing was charged. Get a new one; it takes a second."], // QuoteExpired
  "0x075bb260": ["paid", "This purchase is paid already. Reload the page to see where it stands."], // PaymentExists
  "0xd93c0665": ["paused", "The escrow is paused at the moment, so nothing was charged. Try again later."], // EnforcedPause
  "0x8ce491da": ["wrong_account", "This offer was made for another address. Switch your wallet back to it, or get a new offer."], // NotQuotedBuyer
  "0xb435187e": ["failed", "The escrow does not know who signed this offer, so nothing was charged. Get a new one."], // NotSignedByQuoteSigner
  "0x06439c6b": ["failed", "The escrow does not take this token at the moment, so nothing was charged. Pay in another token."], // TokenNotSupported
  "0x5f1a99fe": ["failed", "The wallet that should get the access is a contract that cannot hold it. Make another wallet your primary one."], // RecipientCannotReceive
  "0xe450d38c": ["insufficient", "There is not enough of this token in the wallet, so nothing was charged. Add some and try again."], // ERC20InsufficientBalance
  "0xfb8f41b2": ["allowance", "The escrow is not allowed to take the amount yet. Try again: the first step asks for it."], // ERC20InsufficientAllowance
  "0x4cc4d546": ["failed", "The escrow does not take this amount, so nothing was charged. The creator must change the price."], // AmountOutOfRange
  "0x00414a42": ["signature", "The token does not accept the signature, so nothing was charged. Sign again with the wallet that pays."], // WrongSignature
  "0xabd5f636": ["paid", "This signature was used already. Reload the page to see where the purchase stands."], // AuthorizationUsedBefore
  "0xcbec9979": ["quote_over", "The signature has run out, so nothing was charged. Get a new offer."], // AuthorizationNotValidNow
  "0x9d819744": ["settled", "This payment was settled in the meantime, so nothing was sent. Reload the page to see how."], // WrongStatus
  "0xdb637c52": ["wrong_account", "Only the wallet that paid can do this. Switch your wallet to it and try again."], // NotPayer
  "0x13df97b3": ["failed", "The time to object is over, so nothing was sent."], // DisputeWindowOver
  "0xbb0b801a": ["wrong_account", "Only the wallet that paid can release the money at this time. Switch your wallet to it and try again."], // ReleaseNotOpen
  "0x56bf21d9": ["wrong_account", "Only the creator's wallet can refund at this time. Switch your wallet to it and try again."], // RefundNotOpen
  "0x3d8a0944": ["failed", "The time to decide this dispute is over: the whole amount goes back to the buyer."], // ResolutionOver
  "0xac46653e": ["settled", "There is nothing left to withdraw: it was paid out already. Reload the page to see it."], // NothingToWithdraw
  "0x24161ae7": ["failed", "This wallet is a contract that refuses ether. From it, call the escrow's withdrawTo with an address that takes it."], // EtherRefused
  "0x5274afe7": ["failed", "The token refused the transfer to this wallet. From it, call the escrow's withdrawTo with another address."], // SafeERC20FailedOperation
};

function revertData(error, depth = 0) {
  if (!error || depth > 4) return null;
  if (typeof error === "string") return /^0x[0-9a-f]{8}/i.test(error) ? error : null;
  if (typeof error !== "object") return null;
  for (const key of ["data", "originalError", "error", "cause", "result"]) {
    const found = revertData(error[key], depth + 1);
    if (found) return found;
  }
  return /0x[0-9a-f]{8}/i.exec(String(error.message ?? ""))?.[0] ?? null;
}

/** Tries a call without sending it. Throws WalletProblem when it would fail for a reason we can name. */
export async function rehearse(provider, account, call) {
  const value = `0x${BigInt(call.value || 0).toString(16)}`;
  try {
    await provider.request({ method: "eth_estimateGas", params: [{ from: account, to: call.to, data: call.data, value }] });
  } catch (error) {
    if (/insufficient funds|gas required exceeds allowance|out of gas/i.test(String(error?.message ?? ""))) {
      throw new WalletProblem("There is not enough ETH in this wallet for the amount and the network's fee. Add some and try again; nothing was charged.", "insufficient");
    }
    const known = SENTENCES[revertData(error)?.slice(0, 10).toLowerCase()];
    if (known) throw new WalletProblem(known[1], known[0]);
    // Not every wallet answers this question; the wallet itself then judges the transaction.
  }
}
