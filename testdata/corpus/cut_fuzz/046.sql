create /* c */ trigger t after insert on x begin select 1; -- end;
 end ; select 2