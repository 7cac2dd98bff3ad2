// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

/// @title Access to agents, as the escrow and the platform's grant key use it
interface IAgentNexusEntitlements {
    /// @notice Gives `holder` access to `agentId` for `duration` seconds more, or for life when `duration` is 0.
    /// @return start Where the grant begins in its run, needed to take it back (0 for life)
    /// @return run The run of uninterrupted access that the grant belongs to, needed to take it back
    function mintToken(address holder, uint256 agentId, uint64 duration) external returns (uint64 start, uint32 run);

    /// @notice Takes back what has not yet been used of one grant, and nothing of any other.
    /// @param duration The duration that was given to `mintToken`
    /// @param start The start that `mintToken` returned
    /// @param run The run that `mintToken` returned
    /// @return taken Seconds taken back; 0 when the grant had run out; 2**64-1 for a grant for life
    function takeBackToken(address holder, uint256 agentId, uint64 duration, uint64 start, uint32 run)
        external
        returns (uint64 taken);
}
