// SPDX-License-Identifier: MIT
pragma solidity 0.8.24;

import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";

import {AccountFixture} from "../support/AccountFixture.sol";

contract ReceiveTokensTest is AccountFixture {
    function test_takes_ether() public {
        vm.deal(stranger, 2 ether);
        vm.prank(stranger);
        (bool sent,) = address(account).call{value: 2 ether}("");
        vm.assertTrue(sent);
        vm.assertEq(address(account).balance, 3 ether);
    }

    function test_takes_tokens_of_any_standard() public {
        vm.assertEq(
            bytes32(account.onERC1155Received(stranger, stranger, 1, 1, "")),
            bytes32(IERC1155Receiver.onERC1155Received.selector)
        );
        vm.assertEq(
            bytes32(account.onERC721Received(stranger, stranger, 1, "")),
            bytes32(IERC721Receiver.onERC721Received.selector)
        );
        vm.assertEq(
            bytes32(passkeyAccount.onERC1155BatchReceived(stranger, stranger, new uint256[](0), new uint256[](0), "")),
            bytes32(IERC1155Receiver.onERC1155BatchReceived.selector)
        );
        vm.assertTrue(account.supportsInterface(type(IERC165).interfaceId));
        vm.assertFalse(account.supportsInterface(0xffffffff));
        vm.assertTrue(passkeyAccount.supportsInterface(type(IERC1155Receiver).interfaceId));
    }
}
