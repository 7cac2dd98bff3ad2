// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

/// @dev What access should be, said as plainly as possible: a line of grants of which the first uses up its time, second
/// by second, then the next. Taking one back removes what it has left.
contract AccessModel {
    struct Grant {
        uint256 id;
        uint256 left;
    }

    struct Line {
        Grant[] grants;
        uint256 clock;
        mapping(uint256 id => bool) forLife;
        uint256 lifetimes;
    }

    mapping(address holder => mapping(uint256 agentId => Line)) private _lines;

    function grant(address holder, uint256 agentId, uint256 id, uint256 duration) external {
        Line storage line = _advance(holder, agentId);
        if (duration == 0) {
            line.forLife[id] = true;
            line.lifetimes += 1;
        } else {
            line.grants.push(Grant(id, duration));
        }
    }

    function takeBack(address holder, uint256 agentId, uint256 id) external returns (uint256 taken) {
        Line storage line = _advance(holder, agentId);
        if (line.forLife[id]) {
            line.forLife[id] = false;
            line.lifetimes -= 1;
            return type(uint64).max;
        }
        for (uint256 i = 0; i < line.grants.length; ++i) {
            if (line.grants[i].id != id) continue;
            taken = line.grants[i].left;
            line.grants[i].left = 0;
        }
    }

    /// @dev Everything before counts for nothing; `id` can never be taken back.
    function set(address holder, uint256 agentId, uint256 id, uint256 left, bool forLife, uint256[] calldata known)
        external
    {
        Line storage line = _advance(holder, agentId);
        delete line.grants;
        for (uint256 i = 0; i < known.length; ++i) {
            line.forLife[known[i]] = false;
        }
        line.lifetimes = forLife ? 1 : 0;
        if (left > 0) line.grants.push(Grant(id, left));
    }

    /// @dev When access ends; 0 when there is none now.
    function expiresAt(address holder, uint256 agentId) external view returns (uint256) {
        Line storage line = _lines[holder][agentId];
        if (line.lifetimes > 0) return type(uint64).max;
        uint256 left;
        for (uint256 i = 0; i < line.grants.length; ++i) {
            left += line.grants[i].left;
        }
        uint256 end = line.clock + left;
        return end > block.timestamp ? end : 0;
    }

    function _advance(address holder, uint256 agentId) private returns (Line storage line) {
        line = _lines[holder][agentId];
        uint256 passed = block.timestamp - line.clock;
        for (uint256 i = 0; i < line.grants.length; ++i) {
            uint256 used = line.grants[i].left < passed ? line.grants[i].left : passed;
            line.grants[i].left -= used;
            passed -= used;
        }
        line.clock = block.timestamp;
    }
}
