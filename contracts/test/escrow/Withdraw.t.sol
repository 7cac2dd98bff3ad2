// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Quote} from "../../src/Quotes.sol";
import {Withdrawals} from "../../src/Withdrawals.sol";
import {GasBurner, ReentrantWallet, RefusingWallet, ReturnBomb} from "../mocks/Receivers.sol";
import {DenyListToken, FalseToken, PlainToken, ReentrantToken} from "../mocks/Tokens.sol";
import {EscrowFixture} from "../support/EscrowFixture.sol";

contract WithdrawTest is EscrowFixture {
    function creditCreator(address creator_, address token) internal {
        Quote memory quote = etherQuote();
        quote.creator = creator_;
        quote.token = token;
        bytes32 id = deposit(quote);
        vm.prank(buyer);
        escrow.releasePayment(id);
    }

    function support(PlainToken token) internal {
        vm.prank(owner);
        escrow.setTokenSupported(address(token), true);
        token.mint(buyer, 1e30);
        vm.prank(buyer);
        token.approve(address(escrow), type(uint256).max);
    }

    function expectEtherRefused(address account, address receiver) internal {
        uint256 amount = escrow.withdrawable(address(0), account);
        vm.expectRevert(abi.encodeWithSelector(Withdrawals.EtherRefused.selector, receiver, amount));
    }

    // ---------------------------------------------------------------- withdraw

    function test_anyone_may_pay_out_ether_to_its_owner() public {
        creditCreator(creator, address(0));
        uint256 due = PRICE - fee(PRICE);

        vm.prank(stranger);
        vm.expectEmit(address(escrow));
        emit Withdrawals.Withdrawn(address(0), creator, due);
        uint256 amount = escrow.withdraw(address(0), creator);

        vm.assertEq(amount, due);
        vm.assertEq(creator.balance, due);
        vm.assertEq(escrow.withdrawable(address(0), creator), 0);
        vm.assertEq(address(escrow).balance, fee(PRICE));
    }

    function test_anyone_may_pay_out_tokens_to_their_owner() public {
        bytes32 id = depositUsdc();
        vm.prank(creator);
        escrow.refundPayment(id);
        uint256 before = usdc.balanceOf(buyer);

        vm.prank(stranger);
        escrow.withdraw(address(usdc), buyer);

        vm.assertEq(usdc.balanceOf(buyer), before + USDC_PRICE);
        vm.assertEq(usdc.balanceOf(address(escrow)), 0);
    }

    function test_credits_add_up_and_return_after_a_withdrawal() public {
        uint256 due = PRICE - fee(PRICE);
        creditCreator(creator, address(0));
        creditCreator(creator, address(0));
        vm.assertEq(escrow.withdrawable(address(0), creator), 2 * due);
        escrow.withdraw(address(0), creator);
        creditCreator(creator, address(0));
        vm.assertEq(escrow.withdrawable(address(0), creator), due);
        escrow.withdraw(address(0), creator);
        vm.assertEq(creator.balance, 3 * due);
    }

    function test_works_while_paused() public {
        creditCreator(creator, address(0));
        vm.prank(owner);
        escrow.pause();

        escrow.withdraw(address(0), creator);

        vm.assertEq(creator.balance, PRICE - fee(PRICE));
    }

    function test_one_denied_account_holds_nobody_else_up() public {
        DenyListToken token = new DenyListToken();
        support(token);
        creditCreator(creator, address(token));
        token.deny(creator, true);

        vm.expectRevert(abi.encodeWithSelector(DenyListToken.Denied.selector, creator));
        escrow.withdraw(address(token), creator);
        escrow.withdraw(address(token), feeRecipient);

        vm.assertEq(token.balanceOf(feeRecipient), fee(PRICE));
        vm.assertEq(escrow.withdrawable(address(token), creator), PRICE - fee(PRICE));
        token.deny(creator, false);
        escrow.withdraw(address(token), creator);
        vm.assertEq(token.balanceOf(creator), PRICE - fee(PRICE));
    }

    function test_reverts_when_there_is_nothing() public {
        vm.expectRevert(abi.encodeWithSelector(Withdrawals.NothingToWithdraw.selector, address(0), creator));
        escrow.withdraw(address(0), creator);
    }

    function test_reverts_when_withdrawn_twice() public {
        creditCreator(creator, address(0));
        escrow.withdraw(address(0), creator);
        vm.expectRevert(abi.encodeWithSelector(Withdrawals.NothingToWithdraw.selector, address(0), creator));
        escrow.withdraw(address(0), creator);
    }

    function test_reverts_when_the_account_refuses_ether() public {
        address wallet = address(new RefusingWallet());
        creditCreator(wallet, address(0));
        expectEtherRefused(wallet, wallet);
        escrow.withdraw(address(0), wallet);
        vm.assertEq(escrow.withdrawable(address(0), wallet), PRICE - fee(PRICE));
    }

    function test_reverts_when_the_account_answers_with_a_bomb() public {
        address wallet = address(new ReturnBomb());
        creditCreator(wallet, address(0));
        expectEtherRefused(wallet, wallet);
        escrow.withdraw(address(0), wallet);
    }

    function test_reverts_when_the_account_burns_all_gas() public {
        address wallet = address(new GasBurner());
        creditCreator(wallet, address(0));
        expectEtherRefused(wallet, wallet);
        escrow.withdraw{gas: 1_000_000}(address(0), wallet);
    }

    function test_reverts_when_the_token_answers_false() public {
        DenyListToken token = new DenyListToken();
        support(token);
        creditCreator(creator, address(token));
        vm.etch(address(token), address(new FalseToken()).code);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        escrow.withdraw(address(token), creator);
        vm.assertEq(escrow.withdrawable(address(token), creator), PRICE - fee(PRICE));
    }

    // ---------------------------------------------------------------- withdrawTo

    function test_an_account_may_send_its_credit_elsewhere() public {
        RefusingWallet wallet = new RefusingWallet();
        creditCreator(address(wallet), address(0));

        wallet.execute(address(escrow), 0, abi.encodeCall(escrow.withdrawTo, (address(0), friend)));

        vm.assertEq(friend.balance, PRICE - fee(PRICE));
        vm.assertEq(escrow.withdrawable(address(0), address(wallet)), 0);
    }

    function test_a_denied_account_may_send_its_tokens_elsewhere() public {
        DenyListToken token = new DenyListToken();
        support(token);
        creditCreator(creator, address(token));
        token.deny(creator, true);

        vm.prank(creator);
        vm.expectEmit(address(escrow));
        emit Withdrawals.Withdrawn(address(token), creator, PRICE - fee(PRICE));
        uint256 amount = escrow.withdrawTo(address(token), friend);

        vm.assertEq(amount, PRICE - fee(PRICE));
        vm.assertEq(token.balanceOf(friend), amount);
    }

    function test_reverts_when_the_credit_is_somebody_elses() public {
        creditCreator(creator, address(0));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Withdrawals.NothingToWithdraw.selector, address(0), stranger));
        escrow.withdrawTo(address(0), stranger);
    }

    function test_reverts_when_the_receiver_refuses_ether() public {
        address wallet = address(new RefusingWallet());
        creditCreator(creator, address(0));
        expectEtherRefused(creator, wallet);
        vm.prank(creator);
        escrow.withdrawTo(address(0), wallet);
    }

    // ---------------------------------------------------------------- reentrancy

    function test_ether_cannot_be_withdrawn_twice_from_inside() public {
        ReentrantWallet wallet = new ReentrantWallet();
        creditCreator(address(wallet), address(0));
        creditCreator(creator, address(0));
        wallet.prepare(address(escrow), abi.encodeCall(escrow.withdraw, (address(0), address(wallet))));

        escrow.withdraw(address(0), address(wallet));

        vm.assertEq(wallet.attempts(), 1);
        vm.assertFalse(wallet.succeeded());
        vm.assertEq(bytes32(wallet.answer()), bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        vm.assertEq(address(wallet).balance, PRICE - fee(PRICE));
    }

    function test_the_credit_is_gone_before_the_money_arrives() public {
        ReentrantWallet wallet = new ReentrantWallet();
        creditCreator(address(wallet), address(0));
        wallet.prepare(address(escrow), abi.encodeCall(escrow.withdrawable, (address(0), address(wallet))));

        escrow.withdraw(address(0), address(wallet));

        vm.assertEq(abi.decode(wallet.answer(), (uint256)), 0);
    }

    function test_tokens_cannot_be_withdrawn_twice_from_inside() public {
        ReentrantToken token = new ReentrantToken();
        support(token);
        creditCreator(creator, address(token));
        token.prepare(address(escrow), abi.encodeCall(escrow.withdraw, (address(token), creator)));

        escrow.withdraw(address(token), creator);

        vm.assertFalse(token.succeeded());
        vm.assertEq(token.balanceOf(creator), PRICE - fee(PRICE));
    }

    /// @dev Whatever a stranger or a receiver tries from inside a payout, every operation is locked.
    function test_every_operation_is_locked_during_a_payout() public {
        bytes32 id = depositEther();
        bytes[5] memory calls = [
            abi.encodeCall(escrow.releasePayment, (id)),
            abi.encodeCall(escrow.refundPayment, (id)),
            abi.encodeCall(escrow.openDispute, (id, "reason")),
            abi.encodeCall(escrow.resolveDispute, (id, 0, "decision")),
            abi.encodeCall(escrow.withdrawTo, (address(0), stranger))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            ReentrantWallet wallet = new ReentrantWallet();
            creditCreator(address(wallet), address(0));
            wallet.prepare(address(escrow), calls[i]);
            escrow.withdraw(address(0), address(wallet));
            vm.assertEq(
                bytes32(wallet.answer()), bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
            );
        }
    }
}
