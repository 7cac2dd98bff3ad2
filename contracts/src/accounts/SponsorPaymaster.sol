// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ERC4337Utils, IEntryPoint} from "@openzeppelin/contracts/account/Account.sol";
import {PaymasterSigner} from "@openzeppelin/contracts/account/paymaster/extensions/PaymasterSigner.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";

/// @title Pays the gas of user operations that the platform signed for
/// @notice A sponsorship is an EIP-712 signature over the whole operation, its gas limits and a time span, so it fits one
/// operation, once. What may be sponsored is decided by who signs; the worst a stolen sponsor key can do is to spend the
/// deposit here on gas.
contract SponsorPaymaster is PaymasterSigner, SignerECDSA, Ownable2Step {
    /// @notice `sponsor` signs sponsorships from now on.
    event SponsorChanged(address indexed sponsor);

    error ZeroAddress();
    error RenouncingDisabled();

    constructor(address owner_, address sponsor_)
        EIP712("SponsorPaymaster", "1")
        SignerECDSA(sponsor_)
        Ownable(owner_)
    {
        if (sponsor_ == address(0)) revert ZeroAddress();
    }

    function entryPoint() public pure override returns (IEntryPoint) {
        return ERC4337Utils.ENTRYPOINT_V07;
    }

    /// @notice Adds what was sent to the deposit that gas is paid from. Anyone may.
    function deposit() external payable {
        _deposit(msg.value);
    }

    /// @notice Takes `amount` wei of the deposit out.
    function withdraw(address payable to, uint256 amount) external onlyOwner {
        _withdraw(to, amount);
    }

    /// @notice Puts what was sent into the stake that public bundlers ask of a paymaster which reads storage of its own, as
    /// this one reads its sponsor (ERC-7562). It comes back `unstakeDelay` seconds after `unlockStake`.
    function addStake(uint32 unstakeDelay) external payable onlyOwner {
        _addStake(msg.value, unstakeDelay);
    }

    /// @notice Begins the wait for the stake.
    function unlockStake() external onlyOwner {
        _unlockStake();
    }

    /// @notice Takes the whole stake out when its wait is over.
    function withdrawStake(address payable to) external onlyOwner {
        _withdrawStake(to);
    }

    /// @notice Refused: without an owner nobody could take deposit and stake out, nor replace a stolen sponsor key.
    function renounceOwnership() public view override onlyOwner {
        revert RenouncingDisabled();
    }

    /// @notice Replaces the key that signs sponsorships; what the old one signed counts no longer.
    function setSponsor(address sponsor) external onlyOwner {
        if (sponsor == address(0)) revert ZeroAddress();
        _setSigner(sponsor);
        emit SponsorChanged(sponsor);
    }
}
