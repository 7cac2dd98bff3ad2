// The networks the site works on, as its API lists them.
import { api } from "./api.js";

let loading = null;

/** `[{slug, chain_id, name, explorer_url, confirmations, block_time, tokens, contracts}]`, asked for once per page. */
export function networks() {
  loading ??= api("GET", "/api/v1/networks").then(
    (data) => data.results ?? data,
    (error) => {
      loading = null;
      throw error;
    },
  );
  return loading;
}

export async function networkByChainId(chainId) {
  return (await networks()).find((network) => network.chain_id === Number(chainId));
}

export function hexChainId(chainId) {
  return `0x${Number(chainId).toString(16)}`;
}

/** Where a transaction can be looked at, or "" on a chain without an explorer. */
export function transactionUrl(network, hash) {
  return network?.explorer_url ? `${network.explorer_url}/tx/${hash}` : "";
}

// A wallet that does not know a chain must be told an endpoint of its own; ours are not for the public.
const PUBLIC_RPC = {
  8453: "https://mainnet.base.org",
  84532: "https://sepolia.base.org",
  31337: "http://127.0.0.1:8545",
};

/** The parameters of `wallet_addEthereumChain` (EIP-3085), or null when we know no public endpoint. */
export function addChainParameters(network) {
  const rpc = PUBLIC_RPC[network.chain_id];
  if (!rpc) return null;
  return {
    chainId: hexChainId(network.chain_id),
    chainName: network.name,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: [rpc],
    ...(network.explorer_url ? { blockExplorerUrls: [network.explorer_url] } : {}),
  };
}
