DROP TABLE challenges;
DROP TABLE messages;
